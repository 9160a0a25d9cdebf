/** The parser beside a slow and obvious twin, over bodies made of what could deceive it, cut at random places. */
import { expect, test } from 'vitest';
import { LONGEST_PADDING, MultipartParser } from './multipart-parser.js';
import { partBytes, readMultipart } from './read-multipart.js';
import { writeMultipart } from './write-multipart.js';

interface Parsed {
  readonly parts: { readonly headers: string; readonly body: string }[];
  readonly failed: boolean;
}

/** The whole body as one text; RFC 2046 §5.1.1 word by word. */
function twin(body: string, boundary: string): Parsed {
  const parts: { headers: string; body: string }[] = [];
  const text = `\r\n${body}`;
  const delimiterAt = (at: number): { after: number; close: boolean } | undefined => {
    if (!text.startsWith(`\r\n--${boundary}`, at)) return undefined;
    const line = text.slice(at + 4 + boundary.length);
    const [, padded] = new RegExp(`^[ \\t]{0,${LONGEST_PADDING}}(\\r\\n)`).exec(line) ?? [];
    if (padded) return { after: text.length - line.length + line.indexOf('\r\n') + 2, close: false };
    return new RegExp(`^--[ \\t]{0,${LONGEST_PADDING}}(\\r\\n|$)`).test(line) ? { after: 0, close: true } : undefined;
  };
  const next = (from: number) => {
    for (let at = from; at < text.length; at++) {
      const delimiter = delimiterAt(at);
      if (delimiter) return { at, ...delimiter };
    }
    return undefined;
  };
  let line = next(0);
  while (line && !line.close) {
    const empty = text.startsWith('\r\n', line.after);
    const end = empty ? line.after - 2 : text.indexOf('\r\n\r\n', line.after);
    if (end < 0) return { parts, failed: true };
    const headers = empty ? '' : text.slice(line.after, end);
    if (
      headers !== '' &&
      headers
        .replace(/\r\n[ \t]+/g, ' ')
        .split('\r\n')
        .some((header) => !/^[^\s:]+:/.test(header))
    )
      return { parts, failed: true };
    const bodyAt = end + 4;
    line = next(end + 2);
    if (!line) return { parts, failed: true };
    parts.push({ headers: together(headers), body: text.slice(bodyAt, Math.max(line.at, bodyAt)) });
  }
  return { parts, failed: !line };
}

/** Lines unfolded, those of one name together. */
function together(headers: string): string {
  const lines = new Map<string, string[]>();
  for (const line of headers === '' ? [] : headers.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const [, name, value] = /^([^:]*):([\s\S]*)$/.exec(line)!;
    lines.set(name!, [...(lines.get(name!) ?? []), value!.trim()]);
  }
  return [...lines].map(([name, values]) => `${name}: ${values.join(', ')}`).join('\r\n');
}

function parse(body: string, boundary: string, sizes: () => number): Parsed {
  const parts: { headers: string; body: string }[] = [];
  const bytes = Buffer.from(body, 'latin1');
  let open = 0;
  const parser = new MultipartParser(boundary, {
    part: (headers) => {
      open++;
      parts.push({ headers: [...headers].map(([name, value]) => `${name}: ${value}`).join('\r\n'), body: '' });
    },
    data: (data) => {
      parts.at(-1)!.body += data.toString('latin1');
    },
    partEnd: () => {
      open--;
    },
  });
  try {
    for (let at = 0; at < bytes.length; ) {
      const size = sizes();
      parser.push(bytes.subarray(at, at + size));
      at += size;
    }
    parser.end();
    expect(open).toBe(0);
    expect(parser.parts).toBe(parts.length);
    return { parts, failed: false };
  } catch (error) {
    expect(error).toMatchObject({ name: 'MultipartError' });
    return { parts: parts.slice(0, parts.length - open), failed: true };
  }
}

/** Mulberry32. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

test('parts are the same as those of the twin, however the bytes come', () => {
  for (let seed = 1; seed <= 3_000; seed++) {
    const roll = dice(seed);
    const boundary = ['b', 'xx', '-', '--', 'a b', "b'xx'", 'long-boundary-0123456789'][roll(7)]!;
    const lines = [
      '\r\n',
      '\r',
      '\n',
      '--',
      '-',
      ' ',
      '\t',
      'x',
      'ab: c\r\n',
      '\r\n\r\n',
      ' '.repeat(255),
      ' '.repeat(257),
    ];
    const pieces = [
      ...lines,
      boundary,
      `--${boundary}`,
      `\r\n--${boundary}`,
      `\r\n--${boundary}--`,
      `--${boundary}\r\n\r\n`,
    ];
    let body = roll(3) === 0 ? '' : `--${boundary}\r\n`;
    for (let count = roll(30); count > 0; count--) body += pieces[roll(pieces.length)]!;
    if (roll(3) > 0) body += `\r\n--${boundary}--${['', '\r\n', ' \r\nepilogue', '\r', 'x'][roll(5)]}`;
    const expected = twin(body, boundary);
    const most = [1, 3, 20, 1_000][roll(4)]!;
    const actual = parse(body, boundary, () => 1 + roll(most));
    expect(actual, JSON.stringify({ seed, boundary, body })).toEqual(expected);
  }
});

test('what was written is read', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed);
    const parts = Array.from({ length: roll(6) }, () => ({
      headers: roll(3) === 0 ? [] : ([['content-type', 'a/b; c="d"']] as const),
      body: Buffer.from(Array.from({ length: roll(40) }, () => [13, 10, 45, 98][roll(4)]!)),
    }));
    const { chunks, length } = writeMultipart('0c0c', parts);
    const bytes = Buffer.concat(chunks);
    expect(bytes.length).toBe(length);
    const source = (async function* () {
      for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
    })();
    let index = 0;
    for await (const part of readMultipart(source, '0c0c')) {
      const { headers, body } = parts[index++]!;
      expect([...part.headers]).toEqual(headers);
      expect((await partBytes(part, 1_000)).equals(body)).toBe(true);
    }
    expect(index).toBe(parts.length);
  }
});
