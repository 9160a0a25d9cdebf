/** PNG in and out: Pillow is the oracle; hostile files are refused by kind. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { FormatError } from '../format-error.js';
import { decodePng } from './decode-png.js';
import { encodePng } from './encode-png.js';
import { chunk, isPng, PNG_SIGNATURE } from './png-chunks.js';
import { filterRows, unfilter } from './png-filters.js';

const folder = mkdtempSync(join(tmpdir(), 'png-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Smooth and noisy parts, so that every filter has rows where it wins. */
function pattern(length: number, top: number): number[] {
  let state = 12345;
  return Array.from({ length }, (_, i) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return i % 97 < 60 ? Math.floor((i * top) / length) : state % (top + 1);
  });
}

const run = (python: string, code: string) =>
  execFileSync(python, ['-c', `import sys, json, numpy as np\nfrom PIL import Image\n${code}`, folder], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });

describeWithPython(['PIL', 'numpy'], 'PNG beside Pillow', (python) => {
  it('is written so that Pillow reads the same samples', () => {
    const expected: Record<string, number[]> = {};
    for (const channels of [1, 2, 3, 4] as const) {
      const data = Uint8Array.from(pattern(23 * 17 * channels, 255));
      writeFileSync(join(folder, `out${channels}.png`), encodePng({ width: 23, height: 17, channels, data }));
      expected[`out${channels}`] = [...data];
    }
    const grey16 = Uint16Array.from(pattern(23 * 17, 65_535));
    writeFileSync(join(folder, 'out16.png'), encodePng({ width: 23, height: 17, channels: 1, data: grey16 }));
    expected.out16 = [...grey16];
    const seen = JSON.parse(
      run(
        python,
        `print(json.dumps({n: np.asarray(Image.open(f'{sys.argv[1]}/{n}.png')).flatten().tolist() for n in ('out1', 'out2', 'out3', 'out4', 'out16')}))`,
      ),
    );
    expect(seen).toEqual(expected);
  });

  it('is read as Pillow wrote it: bits, greys, colours, palettes, transparency', () => {
    const seen = JSON.parse(
      run(
        python,
        `
rng = np.random.default_rng(1); out = {}
def save(name, image, expected, **options):
    image.save(f'{sys.argv[1]}/{name}.png', **options); out[name] = np.asarray(expected).flatten().tolist()
g = rng.integers(0, 255, (13, 21)).astype('u1'); save('grey', Image.fromarray(g), g)
w = rng.integers(0, 65535, (13, 21)).astype('u2'); save('wide', Image.fromarray(w), w)
c = rng.integers(0, 255, (13, 21, 3)).astype('u1'); save('rgb', Image.fromarray(c), c)
a = rng.integers(0, 255, (13, 21, 4)).astype('u1'); save('rgba', Image.fromarray(a), a)
save('bilevel', Image.fromarray(g > 100), (g > 100) * 255)
for n in (2, 4, 16, 200):
    p = Image.fromarray(c).quantize(n); save(f'palette{n}', p, np.asarray(p.convert('RGB')))
p = Image.fromarray(c).quantize(4); save('see-through', p, np.asarray(p.convert('RGB')).reshape(-1, 3), transparency=0)
save('keyed', Image.fromarray(g), g, transparency=int(g[0, 0]))
print(json.dumps(out))`,
      ),
    ) as Record<string, number[]>;
    for (const [name, values] of Object.entries(seen)) {
      const image = decodePng(readFileSync(join(folder, `${name}.png`)));
      expect([image.width, image.height]).toEqual([21, 13]);
      const alpha = name === 'see-through' || name === 'keyed';
      const colours = [...image.data].filter((_, i) => !alpha || i % image.channels !== image.channels - 1);
      expect(colours, name).toEqual(values);
      if (alpha)
        expect(image.data[image.channels - 1], 'the first pixel of "keyed" is clear').toBe(
          name === 'keyed' ? 0 : image.data[3],
        );
    }
  });
});

/** A file of these header fields over this raw (filtered) data. */
function crafted(
  fields: { width?: number; height?: number; bits?: number; type?: number; filter?: number; weave?: number },
  raw: Uint8Array,
) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(fields.width ?? 2, 0);
  header.writeUInt32BE(fields.height ?? 2, 4);
  header.set([fields.bits ?? 8, fields.type ?? 0, 0, fields.filter ?? 0, fields.weave ?? 0], 8);
  return Buffer.concat([
    PNG_SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The pass of each pixel of an 8 × 8 square, as the specification draws it (8.2): the obvious twin of the decoder's table. */
const ADAM7_SQUARE = ['16462646', '77777777', '56565656', '77777777', '36463646', '77777777', '56565656', '77777777'];

/** An interlaced RGB file of these pixels, row filter "none". */
function woven(width: number, height: number, pixels: Uint8Array): Buffer {
  const raw: number[] = [];
  for (const pass of '1234567')
    for (let y = 0; y < height; y++) {
      const columns = Array.from({ length: width }, (_, x) => x).filter((x) => ADAM7_SQUARE[y % 8][x % 8] === pass);
      if (columns.length > 0)
        raw.push(0, ...columns.flatMap((x) => [...pixels.subarray((y * width + x) * 3, (y * width + x + 1) * 3)]));
    }
  return crafted({ width, height, type: 2, weave: 1 }, Uint8Array.from(raw));
}

const ODD_SIZES = [
  [1, 1],
  [3, 2],
  [5, 9],
  [8, 8],
  [17, 33],
] as const;

describeWithPython(['PIL', 'numpy'], 'an interlaced PNG', (python) => {
  it('is read as Pillow reads it, at odd sizes', () => {
    for (const [width, height] of ODD_SIZES) {
      const data = Uint8Array.from(pattern(width * height * 3, 255));
      writeFileSync(join(folder, 'woven.png'), woven(width, height, data));
      const seen = JSON.parse(
        run(python, `print(json.dumps(np.asarray(Image.open(sys.argv[1] + '/woven.png')).flatten().tolist()))`),
      );
      expect([...decodePng(readFileSync(join(folder, 'woven.png'))).data]).toEqual(seen);
      expect(seen).toEqual([...data]);
    }
  });
});

describe('a PNG file', () => {
  it('comes back as it was written, 8 and 16 bits, 1 to 4 channels', () => {
    for (const channels of [1, 2, 3, 4] as const)
      for (const Type of [Uint8Array, Uint16Array]) {
        const data = Type.from(pattern(31 * 19 * channels, Type === Uint8Array ? 255 : 65_535));
        const image = { width: 31, height: 19, channels, data };
        expect(decodePng(encodePng(image))).toEqual({ kind: 'png', ...image });
        expect(encodePng(image).equals(encodePng(image))).toBe(true);
      }
  });

  it('undoes each of the five filters as the obvious definition says', () => {
    const [rows, rowBytes, step] = [6, 24, 3];
    const pixels = Uint8Array.from(pattern(rows * rowBytes, 255));
    const at = (row: number, i: number) => (row < 0 || i < 0 ? 0 : pixels[row * rowBytes + i]);
    const guesses = [
      () => 0,
      (r: number, i: number) => at(r, i - step),
      (r: number, i: number) => at(r - 1, i),
      (r: number, i: number) => Math.floor((at(r, i - step) + at(r - 1, i)) / 2),
      (r: number, i: number) => {
        const [a, b, c] = [at(r, i - step), at(r - 1, i), i < step ? 0 : at(r - 1, i - step)];
        const p = a + b - c;
        return [a, b, c].reduce((best, x) => (Math.abs(p - x) < Math.abs(p - best) ? x : best));
      },
    ];
    for (const [filter, guess] of guesses.entries()) {
      const raw = new Uint8Array(rows * (rowBytes + 1));
      for (let r = 0; r < rows; r++) {
        raw[r * (rowBytes + 1)] = filter;
        for (let i = 0; i < rowBytes; i++) raw[r * (rowBytes + 1) + 1 + i] = at(r, i) - guess(r, i);
      }
      unfilter(raw, 0, rows, rowBytes, step);
      for (let r = 0; r < rows; r++)
        expect([...raw.subarray(r * (rowBytes + 1) + 1, (r + 1) * (rowBytes + 1))], `filter ${filter}`).toEqual([
          ...pixels.subarray(r * rowBytes, (r + 1) * rowBytes),
        ]);
    }
    const used = new Set(
      Array.from({ length: rows }, (_, r) => filterRows(pixels, rows, rowBytes, step)[r * (rowBytes + 1)]),
    );
    expect([...used].every((filter) => filter >= 1 && filter <= 4)).toBe(true);
  });

  const rows = Uint8Array.of(0, 1, 2, 0, 3, 4);
  it.each<[string, string, () => Uint8Array]>([
    ['text', 'not-this-format', () => Buffer.from('a text')],
    ['1.8e19 pixels', 'too-large', () => crafted({ width: 4294967295, height: 4294967295 }, rows)],
    ['400 million pixels from 6 bytes', 'truncated', () => crafted({ width: 20_000, height: 20_000 }, rows)],
    ['no pixels', 'corrupt', () => crafted({ width: 0 }, rows)],
    ['more rows than data', 'truncated', () => crafted({ height: 3 }, rows)],
    ['more data than rows', 'corrupt', () => crafted({ height: 1 }, rows)],
    ['a depth that does not exist', 'corrupt', () => crafted({ bits: 3 }, rows)],
    ['a colour type that does not exist', 'corrupt', () => crafted({ type: 5 }, rows)],
    ['a filter method that does not exist', 'corrupt', () => crafted({ filter: 1 }, rows)],
    ['a row filter that does not exist', 'corrupt', () => crafted({}, Uint8Array.of(9, 1, 2, 0, 3, 4))],
    ['no palette', 'corrupt', () => crafted({ type: 3 }, rows)],
    ['a wrong checksum', 'corrupt', () => crafted({}, rows).fill(7, 30, 31)],
  ])('is refused: %s (%s)', (_, kind, make) => {
    expect(() => decodePng(make())).toThrow(expect.objectContaining({ kind }));
  });

  it('is refused when a pixel points behind its palette', () => {
    const whole = crafted({ type: 3 }, rows);
    const withPalette = Buffer.concat([whole.subarray(0, 33), chunk('PLTE', Buffer.alloc(9)), whole.subarray(33)]);
    expect(() => decodePng(withPalette)).toThrow(expect.objectContaining({ kind: 'corrupt' }));
  });

  it('is refused with a typed error at every length it can be cut to, and never crashes when a byte changes', () => {
    const whole = encodePng({ width: 9, height: 5, channels: 3, data: Uint8Array.from(pattern(135, 255)) });
    expect(isPng(whole)).toBe(true);
    for (let length = 0; length < whole.length; length++)
      expect(() => decodePng(whole.subarray(0, length)), `cut at ${length}`).toThrow(FormatError);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 0x41;
      expect(() => decodePng(changed), `changed at ${at}`).toThrow(FormatError);
    }
  });

  it('is not written when samples and size disagree', () => {
    expect(() => encodePng({ width: 2, height: 2, channels: 1, data: new Uint8Array(5) })).toThrow(
      expect.objectContaining({ kind: 'invalid-value' }),
    );
  });
});
