/** Limits, cut bodies, boundaries and parameters of multipart bodies. */
import { expect, test } from 'vitest';
import { boundaryOf, isLegalBoundary, parameterText, parseHeaderValue, quoted } from './header-value.js';
import { MultipartParser, type MultipartSink } from './multipart-parser.js';
import { partBytes, readMultipart } from './read-multipart.js';
import { boundaryOccurs, newBoundary, writeMultipart } from './write-multipart.js';

const BODY = '--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n';
const deaf: MultipartSink = { part() {}, data() {}, partEnd() {} };

async function* source(text: string, size = 5) {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function bodies(text: string, limits = {}) {
  const found: string[] = [];
  for await (const part of readMultipart(source(text), 'b', limits)) found.push(String(await partBytes(part, 100)));
  return found;
}

test('a body that is cut anywhere is refused; only the last line end may be missing', async () => {
  const whole = BODY.length - '\r\n'.length;
  for (let cut = 0; cut < whole; cut++)
    await expect(bodies(BODY.slice(0, cut)), `at ${cut}`).rejects.toMatchObject({ kind: 'truncated' });
  expect(await bodies(BODY.slice(0, whole))).toEqual(['one', 'two']);
});

test('preamble and epilogue are no parts', async () => {
  expect(await bodies(`preamble\r\n--bb\r\n${BODY}epilogue\r\n--b\r\n`)).toEqual(['one', 'two']);
});

test('a body without parts is told from one that is cut', async () => {
  expect(await bodies('--b--')).toEqual([]);
  await expect(bodies('')).rejects.toMatchObject({ kind: 'truncated', where: 'before the first part' });
});

test('limits hold for the number of parts, the bytes of a part and its headers', async () => {
  expect(await bodies(BODY, { parts: 2, partBytes: 3, headerBytes: 4 })).toHaveLength(2);
  await expect(bodies(BODY, { parts: 1 })).rejects.toMatchObject({ kind: 'too-many-parts' });
  await expect(bodies(BODY, { partBytes: 2 })).rejects.toMatchObject({ kind: 'too-large', where: 'part 0' });
  await expect(bodies(BODY, { headerBytes: 3 })).rejects.toMatchObject({ kind: 'too-large' });
  const endless = new MultipartParser('b', deaf);
  const push = () => {
    for (let line = 0; line < 100; line++)
      endless.push(Buffer.from(line === 0 ? '--b\r\n' : `a: ${'x'.repeat(1_000)}\r\n`));
  };
  expect(push).toThrow(/headers/);
});

test('lines that are no headers are refused, also a boundary among them', async () => {
  for (const lines of ['no colon', ': no name', 'a b: c', '--b--'])
    await expect(bodies(`--b\r\n${lines}\r\n\r\nx\r\n--b--`)).rejects.toMatchObject({ kind: 'bad-header' });
});

test('headers are folded, joined and lower case', async () => {
  for await (const { headers } of readMultipart(source('--b\r\nA: 1\r\nB:\r\n 2\r\na:3\r\n\r\n\r\n--b--'), 'b'))
    expect([...headers]).toEqual([
      ['a', '1, 3'],
      ['b', '2'],
    ]);
});

test('parts that nobody reads are passed over, and a reader that leaves closes the source', async () => {
  let closed = false;
  const watched = (async function* () {
    try {
      yield* source(BODY);
    } finally {
      closed = true;
    }
  })();
  for await (const { headers } of readMultipart(watched, 'b')) {
    if (headers.size > 0) continue;
    break;
  }
  expect(closed).toBe(true);
});

test('a delimiter held across chunks keeps no chunk: data comes as views on what was pushed', () => {
  const chunk = Buffer.from('--b\r\n\r\nabc\r');
  const views: Buffer[] = [];
  new MultipartParser('b', { ...deaf, data: (bytes) => views.push(bytes) }).push(chunk.subarray(0, chunk.length));
  expect(views.map(String)).toEqual(['abc']);
});

test('boundaries are read in any form and written in legal ones', () => {
  expect(boundaryOf('multipart/related;boundary=abc')).toBe('abc');
  expect(boundaryOf('Multipart/Related; type="a;b=c"; BOUNDARY="a \\"b\\" c"; x=y')).toBe('a "b" c');
  expect(boundaryOf('multipart/related; boundary=----=_Part_1')).toBe('----=_Part_1');
  for (const type of ['', 'text/plain; boundary=a', 'multipartx'])
    expect(() => boundaryOf(type)).toThrow(expect.objectContaining({ kind: 'not-multipart' }));
  for (const rest of [
    '',
    '; boundary',
    '; boundary=',
    '; boundary=""',
    `; boundary=${'x'.repeat(71)}`,
    '; boundary="a\u00e4"',
    '; boundary="a "',
  ])
    expect(() => boundaryOf(`multipart/related${rest}`), rest).toThrow(
      expect.objectContaining({ kind: 'bad-boundary' }),
    );
  expect(isLegalBoundary("b'x'")).toBe(true);
  for (const boundary of ['', 'a ', 'a"b', 'a@b', 'x'.repeat(71)]) {
    expect(isLegalBoundary(boundary)).toBe(false);
    expect(() => writeMultipart(boundary, [])).toThrow(expect.objectContaining({ kind: 'bad-boundary' }));
  }
  expect(isLegalBoundary(newBoundary())).toBe(true);
  expect(boundaryOccurs('ab', [Buffer.from('x--a'), Buffer.from('b')])).toBe(false);
  expect(boundaryOccurs('ab', [Buffer.from('x--ab')])).toBe(true);
});

test('parameters come back as they were, and no header gets a line of its own', () => {
  for (const value of ['', 'a', 'a b', 'a"b\\c;d=e', 'ä']) {
    expect(parseHeaderValue(`x; n=${quoted(value)}; m=1`).parameters).toEqual(
      new Map([
        ['n', value],
        ['m', '1'],
      ]),
    );
    expect(parseHeaderValue(`x; n=${parameterText(value)}`).parameters.get('n')).toBe(value);
  }
  expect(parameterText("b'1'")).toBe("b'1'");
  expect(() => quoted('a\r\nb')).toThrow(expect.objectContaining({ kind: 'not-text' }));
  expect(() => writeMultipart('b', [{ headers: [['a', 'b\nc']], body: Buffer.alloc(0) }])).toThrow(/line end/);
  expect(parseHeaderValue('a/b; a=1; a=2; "x"').parameters).toEqual(new Map([['a', '1']]));
});
