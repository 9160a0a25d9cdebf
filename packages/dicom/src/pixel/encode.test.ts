/** Promise: what we encode, we and DCMTK read back sample for sample, in every syntax of the table that we write. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData, describeWithPrograms } from '../../../../tools/test/needs.js';
import { Dataset } from '../dataset/dataset.js';
import { fragmentsElement } from '../dataset/element.js';
import { parseDicom } from '../dataset/parse.js';
import { writeDicom } from '../dataset/serialize.js';
import { RLE_LOSSLESS } from '../dataset/transfer-syntax.js';
import { uidFrom } from '../dataset/uid.js';
import { decodeFrames, supportedTransferSyntaxes } from './decode.js';
import { type PixelFrames, setPixelData } from './encode.js';
import type { SampleArray } from './samples.js';
import { encodeWithWasm } from './wasm-codecs.js';

const ROWS = 37;
const COLUMNS = 53;
const FRAMES = 3;
const WRITTEN = [...supportedTransferSyntaxes]
  .filter(([, support]) => support.encode)
  .map(([uid, { name }]) => ({ uid, name }));
const NATIVE = /Little Endian|Big Endian/;

interface Kind {
  readonly name: string;
  readonly make: (length: number) => SampleArray;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly pixelRepresentation: 0 | 1;
  readonly samplesPerPixel: number;
  /** Syntaxes that refuse it. */
  readonly refusedBy?: RegExp;
}

const KINDS: readonly Kind[] = [
  {
    name: 'signed 16 bit',
    make: (n) => new Int16Array(n),
    bitsAllocated: 16,
    bitsStored: 16,
    pixelRepresentation: 1,
    samplesPerPixel: 1,
  },
  {
    name: 'signed 12 of 16 bit',
    make: (n) => new Int16Array(n),
    bitsAllocated: 16,
    bitsStored: 12,
    pixelRepresentation: 1,
    samplesPerPixel: 1,
  },
  {
    name: 'unsigned 12 of 16 bit',
    make: (n) => new Uint16Array(n),
    bitsAllocated: 16,
    bitsStored: 12,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
  },
  {
    name: 'unsigned 16 bit',
    make: (n) => new Uint16Array(n),
    bitsAllocated: 16,
    bitsStored: 16,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
  },
  {
    name: 'unsigned 8 bit',
    make: (n) => new Uint8Array(n),
    bitsAllocated: 8,
    bitsStored: 8,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
  },
  {
    name: 'signed 8 bit',
    make: (n) => new Int8Array(n),
    bitsAllocated: 8,
    bitsStored: 8,
    pixelRepresentation: 1,
    samplesPerPixel: 1,
    refusedBy: /^JPEG 2000/,
  },
  {
    name: 'RGB',
    make: (n) => new Uint8Array(n),
    bitsAllocated: 8,
    bitsStored: 8,
    pixelRepresentation: 0,
    samplesPerPixel: 3,
  },
  {
    name: 'unsigned 32 bit',
    make: (n) => new Uint32Array(n),
    bitsAllocated: 32,
    bitsStored: 32,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
    refusedBy: /JPEG/,
  },
  {
    name: '1 bit',
    make: (n) => new Uint8Array(n),
    bitsAllocated: 1,
    bitsStored: 1,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
    refusedBy: /JPEG|RLE/,
  },
  {
    name: 'float',
    make: (n) => new Float32Array(n),
    bitsAllocated: 32,
    bitsStored: 32,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
    refusedBy: /JPEG|RLE|Deflated Image/,
  },
];

/** Smooth waves and noise over the whole range; deterministic. */
function makePixels(kind: Kind): PixelFrames {
  const data = kind.make(ROWS * COLUMNS * kind.samplesPerPixel * FRAMES);
  const range = 2 ** kind.bitsStored;
  for (let i = 0; i < data.length; i++) {
    const wave = Math.sin(i / 97) * 0.44 + 0.05 * Math.sin(i * i);
    if (kind.bitsAllocated === 1) data[i] = wave > 0 ? 1 : 0;
    else if (data instanceof Float32Array) data[i] = wave;
    else data[i] = Math.floor((kind.pixelRepresentation === 1 ? wave : wave + 0.5) * range);
  }
  const photometric = kind.samplesPerPixel === 3 ? 'RGB' : 'MONOCHROME2';
  return { ...kind, rows: ROWS, columns: COLUMNS, frames: FRAMES, photometric, data };
}

async function makeFile(kind: Kind, uid: string): Promise<Uint8Array> {
  const dataset = new Dataset()
    .set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7')
    .set('SOPInstanceUID', uidFrom(`${kind.name} ${uid}`));
  await setPixelData(dataset, makePixels(kind), uid);
  return writeDicom(dataset, { transferSyntaxUID: uid });
}

describe('what we encode we read back exactly', () => {
  for (const kind of KINDS)
    for (const { uid, name } of WRITTEN)
      it(`${kind.name} in ${name}`, async () => {
        if (kind.refusedBy?.test(name) && !NATIVE.test(name)) {
          await expect(makeFile(kind, uid)).rejects.toMatchObject({ kind: 'unsupported-pixels' });
          return;
        }
        const file = parseDicom(await makeFile(kind, uid));
        expect(file.tolerances).toEqual([]);
        const decoded = await decodeFrames(file);
        expect(decoded.data).toEqual(makePixels(kind).data);
        expect(decoded.frames).toBe(FRAMES);
      });
});

describeWithData(
  'dicom-transfer-syntax/colour-test-pattern',
  'colour in other forms than the reference files have',
  (root) => {
    const source = join(root, 'TestPattern_RGB.dcm');

    describeWithPrograms(['dcmcjpls'], 'JPEG-LS by DCMTK', () => {
      for (const option of ['--interleave-line', '--interleave-sample', '--interleave-none'])
        it(`with ${option}`, async () => {
          const folder = mkdtempSync(join(tmpdir(), 'isocenter-ilv-'));
          const path = join(folder, 'a.dcm');
          expect(spawnSync('dcmcjpls', [option, source, path]).status).toBe(0);
          const expected = (await decodeFrames(parseDicom(readFileSync(source)))).data;
          const { data } = await decodeFrames(parseDicom(readFileSync(path)));
          expect(Buffer.compare(data as Uint8Array, expected as Uint8Array)).toBe(0);
          rmSync(folder, { recursive: true });
        });
    });
  },
);

describe('JPEG XL, of which no reference files exist here', () => {
  for (const kind of KINDS.filter(({ bitsAllocated }) => bitsAllocated === 8 || bitsAllocated === 16))
    it(`${kind.name}: what the codec encodes without loss we decode`, async () => {
      const pixels = { ...makePixels(kind), planarConfiguration: 0 };
      const bytes = new Uint8Array(pixels.data.buffer, 0, pixels.data.byteLength / FRAMES);
      const encoded = await encodeWithWasm('JpegXl', bytes, {
        ...pixels,
        bitsStored: kind.bitsAllocated,
        pixelRepresentation: 0,
      });
      const dataset = new Dataset().set('SOPClassUID', '1.2').set('SOPInstanceUID', '1.3');
      await setPixelData(
        dataset,
        { ...pixels, frames: 1, data: pixels.data.slice(0, pixels.data.length / FRAMES) },
        RLE_LOSSLESS,
      );
      dataset.put(fragmentsElement(0x7fe00010, 'OB', [new Uint8Array(0), encoded.bytes]));
      const decoded = await decodeFrames(
        parseDicom(writeDicom(dataset, { transferSyntaxUID: '1.2.840.10008.1.2.4.110' })),
      );
      expect(decoded.data).toEqual(pixels.data.slice(0, pixels.data.length / FRAMES));
    });
});

describeWithPrograms(['dcmdjpeg', 'dcmdjpls', 'dcmdrle', 'dcmdump', 'dcmconv'], 'DCMTK reads the same samples', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'isocenter-encode-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const tools: readonly [RegExp, string, readonly string[]][] = [
    [/^JPEG Lossless/, 'dcmdjpeg', []],
    [/^JPEG-LS/, 'dcmdjpls', []],
    [/^RLE/, 'dcmdrle', []],
    [/^Deflated Explicit|^Explicit|^Implicit/, 'dcmconv', ['+te']],
  ];
  for (const kind of KINDS)
    for (const { uid, name } of WRITTEN) {
      const tool = tools.find(([pattern]) => pattern.test(name));
      // DCMTK swaps 16-bit words of 32-bit pixels in big endian: see the README of dicom-transfer-syntax.
      const wordOrder = uid.endsWith('.2.2') && kind.bitsAllocated === 32;
      if (!tool || wordOrder || (kind.refusedBy?.test(name) && !NATIVE.test(name))) continue;
      it(`${kind.name} in ${name}`, async () => {
        const path = join(folder, `${kind.name}-${uid}`.replaceAll(' ', '_'));
        writeFileSync(path, await makeFile(kind, uid));
        const { status, stderr } = spawnSync(tool[1], [...tool[2], path, `${path}.out`], { encoding: 'utf8' });
        expect([status, stderr.trim()]).toEqual([0, '']);
        const decoded = await decodeFrames(parseDicom(readFileSync(`${path}.out`)));
        expect(decoded.data).toEqual(makePixels(kind).data);
      });
    }
});
