/** Promise: sizes in pixel attributes and compressed frames are checked before they are used; damage gives typed errors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { Dataset } from '../dataset/dataset.js';
import { fragmentsElement } from '../dataset/element.js';
import { DicomError } from '../dataset/errors.js';
import { type DicomFile, parseDicom } from '../dataset/parse.js';
import { writeDicom } from '../dataset/serialize.js';
import { decodeFrameInto, decodeFrames } from './decode.js';
import { applyPalette } from './palette.js';
import { decodeRle, decodeRleBits, encodeRle } from './rle.js';
import { packBits, unpackBits } from './samples.js';

function image(changes: (dataset: Dataset) => void): DicomFile {
  const dataset = new Dataset()
    .set('SOPClassUID', '1.2')
    .set('SOPInstanceUID', '1.3')
    .set('SamplesPerPixel', 1)
    .set('PhotometricInterpretation', 'MONOCHROME2')
    .set('Rows', 4)
    .set('Columns', 4)
    .set('BitsAllocated', 16)
    .set('BitsStored', 12)
    .set('HighBit', 11)
    .set('PixelRepresentation', 1)
    .set('PixelData', new Uint8Array(32), 'OW');
  changes(dataset);
  return parseDicom(writeDicom(dataset));
}

describe('attributes that lie', () => {
  const cases: readonly [string, string, (dataset: Dataset) => void][] = [
    ['Rows 0', 'inconsistent', (d) => d.set('Rows', 0)],
    ['Rows 65535', 'truncated', (d) => d.set('Rows', 65535)],
    ['Rows 2^31 with VR UL', 'inconsistent', (d) => d.set('Rows', 2 ** 31, 'UL')],
    ['Rows negative with VR SS', 'inconsistent', (d) => d.set('Rows', -4, 'SS')],
    ['Rows as text', 'unreadable-value', (d) => d.set('Rows', 'four', 'LO')],
    ['no Columns', 'missing-attribute', (d) => d.delete('Columns')],
    ['2,000,000,000 frames', 'inconsistent', (d) => d.set('NumberOfFrames', '2000000000')],
    [
      'a product beyond all memory',
      'limit',
      (d) => d.set('Rows', 65535).set('Columns', 65535).set('NumberOfFrames', '16000000'),
    ],
    ['pixel data one byte short', 'truncated', (d) => d.set('PixelData', new Uint8Array(30), 'OW')],
    ['12 bits allocated', 'unsupported-pixels', (d) => d.set('BitsAllocated', 12)],
    ['more bits stored than allocated', 'inconsistent', (d) => d.set('BitsStored', 17)],
    ['a high bit below the stored bits', 'inconsistent', (d) => d.set('HighBit', 3)],
    ['five samples', 'inconsistent', (d) => d.set('SamplesPerPixel', 5)],
    ['no pixel data', 'missing-attribute', (d) => d.delete('PixelData')],
  ];
  for (const [title, kind, change] of cases)
    it(`${title}: ${kind}`, async () => {
      await expect(decodeFrames(image(change))).rejects.toMatchObject({ kind });
    });

  it('a target array that is too short, or a frame that is not there', async () => {
    const file = image(() => undefined);
    await expect(decodeFrameInto(file, 0, new Int16Array(15), 0)).rejects.toMatchObject({ kind: 'inconsistent' });
    await expect(decodeFrameInto(file, 1, new Int16Array(16), 0)).rejects.toMatchObject({ kind: 'inconsistent' });
  });
});

describe('stored bits', () => {
  it('the sign is extended from HighBit, and overlay bits above it are masked', async () => {
    const words = Uint16Array.from([0x0fff, 0xf7ff, 0x0800, 0x1001, ...new Array(12).fill(0)]);
    const file = image((d) => d.set('PixelData', new Uint8Array(words.buffer), 'OW'));
    expect([...(await decodeFrames(file)).data.slice(0, 4)]).toEqual([-1, 2047, -2048, 1]);
  });

  it('bits that are not at the bottom are shifted', async () => {
    const words = Uint16Array.from([0x7ff0, 0x8000, ...new Array(14).fill(0)]);
    const file = image((d) => d.set('PixelData', new Uint8Array(words.buffer), 'OW').set('HighBit', 15));
    expect([...(await decodeFrames(file)).data.slice(0, 2)]).toEqual([2047, -2048]);
  });

  it('a frame goes into arrays of other types by value', async () => {
    const words = Uint16Array.from([0x0fff, ...new Array(15).fill(7)]);
    const file = image((d) => d.set('PixelData', new Uint8Array(words.buffer), 'OW'));
    const target = new Float32Array(20);
    await decodeFrameInto(file, 0, target, 2);
    expect([...target.slice(1, 5)]).toEqual([0, -1, 7, 7]);
  });

  it('bits are packed lowest first and unpacked from any bit', () => {
    const pixels = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1];
    const packed = new Uint8Array(3);
    packBits(pixels, packed, 5);
    expect([...unpackBits(packed, 5, pixels.length)]).toEqual(pixels);
    expect(packed[0]).toBe(0b10100000);
  });

  it('colour by plane becomes colour by pixel', async () => {
    const file = image((d) =>
      d
        .set('SamplesPerPixel', 3)
        .set('PhotometricInterpretation', 'RGB')
        .set('PlanarConfiguration', 1)
        .set('BitsAllocated', 8)
        .set('BitsStored', 8)
        .set('HighBit', 7)
        .set('PixelRepresentation', 0)
        .set(
          'PixelData',
          Uint8Array.from({ length: 48 }, (_, i) => i),
        ),
    );
    expect([...(await decodeFrames(file)).data.slice(0, 6)]).toEqual([0, 16, 32, 1, 17, 33]);
  });
});

describe('RLE', () => {
  const samples = Uint8Array.from({ length: 6 * 7 * 2 }, (_, i) => (i % 9 < 4 ? 5 : i));

  it('is the inverse of itself', () => {
    const encoded = encodeRle(samples, 6, 7, 1, 2);
    expect(decodeRle(encoded, 42, 1, 2)).toEqual(samples);
  });

  it('with every last byte and every cut either decodes or gives a typed error', () => {
    const encoded = encodeRle(samples, 6, 7, 1, 2);
    for (let value = 0; value < 256; value++) {
      const changed = encoded.slice();
      changed[changed.length - 1] = value;
      attempt(() => decodeRle(changed, 42, 1, 2));
    }
    for (let length = 0; length < encoded.length; length++)
      attempt(() => decodeRle(encoded.slice(0, length), 42, 1, 2));
    for (let at = 0; at < 64; at++) {
      const changed = encoded.slice();
      changed[at] = 0xff;
      attempt(() => decodeRle(changed, 42, 1, 2));
      attempt(() => decodeRleBits(changed, 11));
    }
  });

  function attempt(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      expect(error).toBeInstanceOf(DicomError);
    }
  }
});

describe('palette', () => {
  const dataset = new Dataset();
  for (const colour of ['Red', 'Green', 'Blue'] as const)
    dataset
      .set(`${colour}PaletteColorLookupTableDescriptor`, [3, 10, 16], 'US')
      .set(`${colour}PaletteColorLookupTableData`, [0, 0x8000, 0xffff], 'OW');

  it('indices outside the table take its first and last entry', () => {
    expect([...applyPalette(dataset, [0, 10, 11, 12, 65535])]).toEqual([
      0, 0, 0, 0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 255, 255,
    ]);
  });

  it('a descriptor that promises more entries than there are is refused', () => {
    const short = new Dataset().copyFrom(dataset, [...dataset.elements.keys()]);
    short.set('RedPaletteColorLookupTableDescriptor', [0, 0, 16], 'US');
    expect(() => applyPalette(short, [0])).toThrow(expect.objectContaining({ kind: 'truncated' }));
  });
});

describeWithData('dicom-transfer-syntax', 'damaged codestreams', (root) => {
  const CODECS: readonly [string, string][] = [
    ['JPEG lossless', 'mr-mosaic/5.dcm'],
    ['JPEG baseline', 'pydicom/SC_rgb_jpeg_dcmtk.dcm'],
    ['JPEG-LS', 'mr-mosaic/7.dcm'],
    ['JPEG 2000', 'pydicom/MR_small_jp2klossless.dcm'],
    ['HTJ2K', 'htj2k/CT1_HTJ2K_made_here.dcm'],
    ['RLE', 'pydicom/MR_small_RLE.dcm'],
    ['deflated frames', 'pydicom-data/liver_deflate.dcm'],
  ];

  /** The file with its first frame replaced, as bytes again. */
  function withFrame(path: string, change: (frame: Uint8Array) => Uint8Array): DicomFile {
    const file = parseDicom(readFileSync(path));
    const [table, frame, ...rest] = file.pixelData?.element?.fragments ?? [];
    const element = fragmentsElement(0x7fe00010, 'OB', [table as Uint8Array, change(frame as Uint8Array), ...rest]);
    const dataset = new Dataset().copyFrom(file.dataset, [...file.dataset.elements.keys()]).put(element);
    return parseDicom(writeDicom(dataset, { transferSyntaxUID: file.transferSyntaxUID }));
  }

  for (const [name, file] of CODECS) {
    const path = join(root, file);
    it(`${name}: a frame cut in half is refused, never filled up`, async () => {
      await expect(decodeFrames(withFrame(path, (frame) => frame.slice(0, frame.length >> 1)))).rejects.toBeInstanceOf(
        DicomError,
      );
    });

    it(`${name}: an empty frame is refused`, async () => {
      await expect(decodeFrames(withFrame(path, () => new Uint8Array(0)))).rejects.toBeInstanceOf(DicomError);
    });

    it(`${name}: changed bytes give pixels or a typed error, and the next frame still decodes`, async () => {
      const good = await decodeFrames(parseDicom(readFileSync(path)));
      let state = 12345;
      for (let round = 0; round < 12; round++) {
        const damaged = withFrame(path, (frame) => {
          const copy = frame.slice();
          for (let i = 0; i < 6; i++) {
            state = (Math.imul(state, 1103515245) + 12345) >>> 0;
            copy[state % copy.length] = state >>> 24;
          }
          return copy;
        });
        try {
          await decodeFrames(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(DicomError);
        }
      }
      expect((await decodeFrames(parseDicom(readFileSync(path)))).data).toEqual(good.data);
    });
  }

  it('a codestream of another size than the attributes is refused before it is decoded', async () => {
    const file = parseDicom(readFileSync(join(root, 'mr-mosaic/9.dcm')));
    const dataset = new Dataset().copyFrom(file.dataset, [...file.dataset.elements.keys()]).set('Rows', 383);
    const changed = parseDicom(writeDicom(dataset, { transferSyntaxUID: file.transferSyntaxUID }));
    await expect(decodeFrames(changed)).rejects.toMatchObject({ kind: 'inconsistent' });
  });

  it('a syntax that nobody here decodes is named', async () => {
    const file = parseDicom(readFileSync(join(root, 'mr-mosaic/9.dcm')));
    for (const uid of ['1.2.840.10008.1.2.4.100', '1.2.840.10008.1.2.4.93', '1.2.3.4'])
      await expect(decodeFrames({ ...file, transferSyntaxUID: uid })).rejects.toMatchObject({
        kind: 'unsupported-transfer-syntax',
        where: uid,
      });
  });
});
