/** Promise: the same patient gives the same volume, however the values are stored; the array type is the smallest that is exact. */
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../dataset/dataset.js';
import { parseDicom } from '../dataset/parse.js';
import { writeDicom } from '../dataset/serialize.js';
import { setPixelData } from '../pixel/encode.js';
import { assembleSeries } from './assemble.js';
import { type LoadOptions, loadVolume } from './load.js';
import { scanSources } from './scan.js';
import type { InstanceSource } from './source.js';
import { type SyntheticOptions, source, syntheticFiles, syntheticSeries } from './synthetic.suite.js';

async function load(sources: readonly InstanceSource[], options?: LoadOptions) {
  const scan = await scanSources(sources);
  expect(scan.refused).toEqual([]);
  expect(scan.series).toHaveLength(1);
  return loadVolume(assembleSeries(scan.series[0]), options);
}

const PIXELS = 35;
type Stored = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** CT slices of which each pixel p of slice k is stored as `value(p, k)` in arrays of the given type. */
function storedAs(
  make: (length: number) => Stored,
  value: (p: number, k: number) => number,
  more: (dataset: Dataset, k: number) => unknown = () => {},
): SyntheticOptions {
  return {
    slices: 3,
    edit: (dataset, k) => {
      const pixels = make(PIXELS + (PIXELS % 2));
      for (let p = 0; p < PIXELS; p++) pixels[p] = value(p, k);
      const bits = pixels.BYTES_PER_ELEMENT * 8;
      const signed = pixels instanceof Int8Array || pixels instanceof Int16Array || pixels instanceof Int32Array;
      const bytes = new Uint8Array(pixels.buffer).slice(0, Math.ceil((PIXELS * bits) / 16) * 2);
      dataset
        .set('BitsAllocated', bits)
        .set('BitsStored', bits)
        .set('HighBit', bits - 1)
        .set('PixelRepresentation', signed ? 1 : 0)
        .set('PixelData', bytes, 'OW')
        .delete('RescaleSlope')
        .delete('RescaleIntercept');
      more(dataset, k);
    },
  };
}

const rescale = (slope: number, intercept: number) => (dataset: Dataset) =>
  dataset.set('RescaleSlope', slope).set('RescaleIntercept', intercept);
const magnetic = (dataset: Dataset) => dataset.set('Modality', 'MR');

describe('the array type is the smallest that keeps every value', () => {
  const u8 = (n: number) => new Uint8Array(n);
  const i8 = (n: number) => new Int8Array(n);
  const u16 = (n: number) => new Uint16Array(n);
  const i16 = (n: number) => new Int16Array(n);
  const u32 = (n: number) => new Uint32Array(n);
  const i32 = (n: number) => new Int32Array(n);
  const small = (p: number, k: number) => p + 40 * k;
  it.each<readonly [string, SyntheticOptions, string, (p: number, k: number) => number]>([
    ['8 bit MR', storedAs(u8, small, magnetic), 'Uint8Array', small],
    ['signed 8 bit MR', storedAs(i8, (p, k) => p - 90 + k, magnetic), 'Int16Array', (p, k) => p - 90 + k],
    ['8 bit CT', storedAs(u8, small, rescale(1, -100)), 'Int16Array', (p, k) => small(p, k) - 100],
    ['16 bit unsigned MR', storedAs(u16, (p) => 65535 - p, magnetic), 'Uint16Array', (p) => 65535 - p],
    ['16 bit signed MR', storedAs(i16, (p) => p - 30000, magnetic), 'Int16Array', (p) => p - 30000],
    ['signed CT with intercept', storedAs(i16, (p) => p - 20, rescale(1, -1024)), 'Int16Array', (p) => p - 1044],
    [
      'unsigned CT beyond 16 bits signed',
      storedAs(u16, (p) => 65000 + p, rescale(1, -1024)),
      'Float32Array',
      (p) => 63976 + p,
    ],
    ['signed CT beyond 16 bits', storedAs(i16, (p) => p - 32768, rescale(1, -1024)), 'Float32Array', (p) => p - 33792],
    ['slope of a half', storedAs(u16, small, rescale(0.5, 1)), 'Float32Array', (p, k) => small(p, k) / 2 + 1],
    ['8 bit with fractions', storedAs(u8, small, rescale(0.25, -1)), 'Float32Array', (p, k) => small(p, k) / 4 - 1],
    ['32 bit unsigned', storedAs(u32, (p) => 100000 + p, magnetic), 'Float32Array', (p) => 100000 + p],
    ['32 bit signed', storedAs(i32, (p) => p - 100000, rescale(2, 0)), 'Float32Array', (p) => 2 * p - 200000],
  ])('%s', async (_, options, type, expected) => {
    const { volume } = await load(syntheticSeries(options));
    expect(volume.data.constructor.name).toBe(type);
    const right = volume.data.every((value, n) => value === expected(n % PIXELS, Math.floor(n / PIXELS)));
    expect(right).toBe(true);
  });

  it('a PET series is rescaled slice by slice', async () => {
    const options = storedAs(
      i16,
      (p) => p - 5,
      (dataset, k) => rescale(5e-5 * (k + 1), 0)(dataset.set('Modality', 'PT').set('Units', 'BQML')),
    );
    const { volume, units, findings } = await load(syntheticSeries(options));
    expect(units).toBe('BQML');
    expect(findings.map((finding) => finding.kind)).toEqual(['rescale-differs']);
    volume.data.forEach((value, n) => {
      expect(value).toBeCloseTo(((n % PIXELS) - 5) * 5e-5 * (Math.floor(n / PIXELS) + 1), 9);
    });
  });
});

describe('padding', () => {
  const options = storedAs(
    (n) => new Int16Array(n),
    (p) => (p === 0 ? -2000 : p),
    (dataset) => rescale(1, -1000)(dataset.set('PixelPaddingValue', 63536, 'US')),
  );

  it('is kept as stored, or replaced where that is asked for', async () => {
    expect((await load(syntheticSeries(options))).volume.data[0]).toBe(-3000);
    const { volume } = await load(syntheticSeries(options), { padding: -1024 });
    expect([...volume.data.slice(0, 2)]).toEqual([-1024, -999]);
  });

  it('may be NaN, which needs floats', async () => {
    const { volume } = await load(syntheticSeries(options), { padding: Number.NaN });
    expect(volume.data).toBeInstanceOf(Float32Array);
    expect(volume.data[0]).toBeNaN();
    expect(volume.data[1]).toBe(-999);
  });
});

/** 16 × 12 slices in another transfer syntax. */
async function compressed(
  files: readonly Uint8Array[],
  transferSyntaxUID: string,
  edit: (dataset: Dataset) => unknown = () => {},
): Promise<readonly InstanceSource[]> {
  const sources: InstanceSource[] = [];
  for (const [k, file] of files.entries()) {
    const { dataset } = parseDicom(file);
    const bytes = dataset.bytes('PixelData')?.slice() ?? new Uint8Array();
    const form = { rows: 16, columns: 12, samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16 } as const;
    const pixels = { ...form, pixelRepresentation: 0, photometric: 'MONOCHROME2' } as const;
    await setPixelData(dataset, { ...pixels, data: new Uint16Array(bytes.buffer) }, transferSyntaxUID);
    edit(dataset);
    sources.push(source(`${k}`, writeDicom(dataset, { transferSyntaxUID })));
  }
  return sources;
}

describe('transfer syntaxes', () => {
  const plain = syntheticFiles({ slices: 5, rows: 16, columns: 12 });

  it.each([
    ['1.2.840.10008.1.2', 'implicit little endian'],
    ['1.2.840.10008.1.2.2', 'explicit big endian'],
    ['1.2.840.10008.1.2.1.99', 'deflated'],
    ['1.2.840.10008.1.2.5', 'RLE'],
    ['1.2.840.10008.1.2.4.70', 'JPEG lossless'],
    ['1.2.840.10008.1.2.4.80', 'JPEG-LS'],
    ['1.2.840.10008.1.2.4.90', 'JPEG 2000'],
    ['1.2.840.10008.1.2.4.201', 'HTJ2K'],
  ])('%s (%s) gives the volume of explicit little endian, with one thread or many', async (transferSyntaxUID) => {
    const expected = await load(plain.map((file, k) => source(`${k}`, file)));
    const sources = await compressed(plain, transferSyntaxUID);
    for (const concurrency of [undefined, 1]) {
      const { volume, reference } = await load(sources, { concurrency });
      expect([...volume.data]).toEqual([...expected.volume.data]);
      expect(volume.affine).toEqual(expected.volume.affine);
      expect(reference.slices).toEqual(expected.reference.slices);
    }
  });
});

describe('compressed images whose header lies', () => {
  const plain = syntheticFiles({ slices: 5, rows: 16, columns: 12 });

  it.each([1, undefined])('Rows that contradict the codestream are refused (threads: %s)', async (concurrency) => {
    const sources = await compressed(plain, '1.2.840.10008.1.2.4.90', (dataset) => dataset.set('Rows', 20_000));
    await expect(load(sources, { concurrency })).rejects.toMatchObject({ kind: 'inconsistent' });
  });

  it.each([1, undefined])('a damaged codestream is refused (threads: %s)', async (concurrency) => {
    const sources = await compressed(plain, '1.2.840.10008.1.2.4.90');
    const damaged = async (each: InstanceSource) => {
      const bytes = (await each.read()).slice();
      // From the codestream's size marker on: within packets JPEG 2000 has no checksum that would tell.
      bytes.fill(0, Buffer.from(bytes).indexOf('ff51', 'hex'));
      return source(each.name, bytes);
    };
    const mixed = [...sources.slice(0, 4), await damaged(sources[4])];
    await expect(load(mixed, { concurrency })).rejects.toMatchObject({ name: 'DicomError' });
  });
});

describe('long headers', () => {
  it.each([20_000, 100_000, 3_000_000])(
    'of %i bytes are read to the pixel data, and not much farther',
    async (length) => {
      let most = 0;
      let reads = 0;
      const sources = syntheticSeries({
        slices: 2,
        rows: 500,
        columns: 500,
        edit: (dataset) =>
          dataset
            .set('ImageComments', 'x'.repeat(9000))
            .set(0x00091010, new Uint8Array(length), 'OB')
            .set(0x00090010, 'OURS', 'LO'),
      }).map(
        (each): InstanceSource => ({
          ...each,
          prefix: (bytes) => {
            most = Math.max(most, bytes);
            return each.prefix(bytes);
          },
          read: () => {
            reads++;
            return each.read();
          },
        }),
      );
      const scan = await scanSources(sources);
      expect(scan.series[0].frames).toHaveLength(2);
      expect(most).toBeLessThanOrEqual(1024 * 1024);
      expect(reads).toBe(length > 1024 * 1024 ? 2 : 0);
    },
  );
});
