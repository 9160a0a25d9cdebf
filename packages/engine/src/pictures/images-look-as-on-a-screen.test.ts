/** Greys by the formulas of PS3.3 written out by hand, colours, and what an annotated picture shows where. */
import { Dataset, type DicomFile, parseDicom, setPixelData, writeDicom } from '@isocenter/dicom';
import { describe, expect, it } from 'vitest';
import { annotatedPicture } from './annotated-picture.js';
import { anchoredColours, rainbow } from './colour-map.js';
import { displayImage } from './display-image.js';

const EXPLICIT = '1.2.840.10008.1.2.1';

interface Pixels {
  readonly columns: number;
  readonly rows: number;
  readonly data: Uint8Array | Uint16Array | Int16Array;
  readonly samples?: 1 | 3;
  readonly photometric?: string;
  readonly signed?: boolean;
}

async function image(pixels: Pixels, change: (dataset: Dataset) => unknown = () => {}): Promise<DicomFile> {
  const dataset = new Dataset().set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7').set('SOPInstanceUID', '1.2.3');
  const bits = pixels.data.BYTES_PER_ELEMENT * 8;
  await setPixelData(
    dataset,
    {
      rows: pixels.rows,
      columns: pixels.columns,
      samplesPerPixel: pixels.samples ?? 1,
      bitsAllocated: bits,
      bitsStored: bits,
      pixelRepresentation: pixels.signed ? 1 : 0,
      photometric: pixels.photometric ?? 'MONOCHROME2',
      data: pixels.data,
    },
    EXPLICIT,
  );
  change(dataset);
  return parseDicom(writeDicom(dataset));
}

/** Grey of each pixel; fails when a pixel is not grey. */
async function greys(file: DicomFile): Promise<number[]> {
  const { rgb } = await displayImage(file);
  const pixels = Array.from({ length: rgb.length / 3 }, (_, at) => [...rgb.subarray(3 * at, 3 * at + 3)]);
  for (const [r, g, b] of pixels) expect([g, b]).toEqual([r, r]);
  return pixels.map(([r]) => r);
}

const HU = Int16Array.from([-1024, -160, 40, 140, 240, 3000]);
const ct = (change: (dataset: Dataset) => unknown) => image({ columns: 6, rows: 1, data: HU, signed: true }, change);
const window = (dataset: Dataset) => dataset.set('WindowCenter', 40).set('WindowWidth', 400);

describe('greys', () => {
  it('follow the window, negative values too', async () => {
    // ((x - 39.5) / 399 + 0.5) * 255
    expect(await greys(await ct(window))).toEqual([0, 0, 128, 192, 255, 255]);
  });

  it('follow rescale, then the window', async () => {
    const stored = Uint16Array.from(HU, (value) => value + 1024);
    const file = await image({ columns: 6, rows: 1, data: stored }, (dataset) =>
      window(dataset).set('RescaleIntercept', -1024).set('RescaleSlope', 1),
    );
    expect(await greys(file)).toEqual([0, 0, 128, 192, 255, 255]);
  });

  it('follow the exact and the sigmoid function', async () => {
    expect(await greys(await ct((dataset) => window(dataset).set('VOILUTFunction', 'LINEAR_EXACT')))).toEqual([
      0, 0, 128, 191, 255, 255,
    ]);
    const sigmoid = await greys(await ct((dataset) => window(dataset).set('VOILUTFunction', 'SIGMOID')));
    expect(sigmoid[2]).toBe(128);
    expect(sigmoid[3]).toBe(Math.round(255 / (1 + Math.exp(-1))));
  });

  it('are turned for MONOCHROME1', async () => {
    const file = await image({ columns: 6, rows: 1, data: HU, signed: true, photometric: 'MONOCHROME1' }, window);
    expect(await greys(file)).toEqual([255, 255, 127, 63, 0, 0]);
  });

  it('follow a VOI table where there is no window', async () => {
    const table = new Dataset()
      .set('LUTDescriptor', [4, 10, 8], 'US')
      .set('LUTData', new Uint8Array([0, 50, 100, 255]), 'OW');
    const file = await image({ columns: 6, rows: 1, data: Uint8Array.from([0, 10, 11, 12, 13, 99]) }, (dataset) =>
      dataset.set('VOILUTSequence', [table]),
    );
    expect(await greys(file)).toEqual([0, 0, 50, 100, 255, 255]);
  });

  it('are spread over what was measured where nothing is said, padding left out', async () => {
    const data = Uint16Array.from({ length: 1000 }, (_, at) => 1000 + at);
    data.fill(63000, 0, 300);
    const spread = await greys(
      await image({ columns: 1000, rows: 1, data }, (dataset) => dataset.set('PixelPaddingValue', 63000, 'US')),
    );
    expect(spread[300]).toBe(0);
    expect(spread[999]).toBe(255);
    expect(Math.abs(spread[650] - 128)).toBeLessThan(3);
  });

  it('of a CT without window show lung and bone', async () => {
    const [air, , , , , bone] = await greys(await ct((dataset) => dataset.set('Modality', 'CT')));
    expect([air < 10, bone]).toEqual([true, 255]);
  });
});

describe('colours', () => {
  it('stay for RGB and are computed for YBR', async () => {
    const rgb = await displayImage(
      await image({ columns: 1, rows: 1, data: Uint8Array.from([10, 200, 30]), samples: 3, photometric: 'RGB' }),
    );
    expect([...rgb.rgb]).toEqual([10, 200, 30]);
    const ybr = await displayImage(
      await image({ columns: 1, rows: 1, data: Uint8Array.from([76, 85, 255]), samples: 3, photometric: 'YBR_FULL' }),
    );
    expect([...ybr.rgb]).toEqual([254, 0, 0]);
  });

  it('of anchor points change evenly between them', () => {
    const map = anchoredColours([
      { threshold: 0, color: [0, 0, 0, 0] },
      { threshold: 0.5, color: [200, 0, 0, 100] },
      { threshold: 1, color: [200, 100, 0, 255] },
    ]);
    const at = (value: number) => [...map.subarray(4 * value, 4 * value + 4)];
    expect([at(0), at(255)]).toEqual([
      [0, 0, 0, 0],
      [200, 100, 0, 255],
    ]);
    expect(at(51)).toEqual([80, 0, 0, 40]);
    expect(at(204)).toEqual([200, 60, 0, 193]);
  });

  it('of the default map leave 0 clear', () => {
    expect(rainbow()[3]).toBe(0);
    expect([...rainbow().subarray(4 * 255)]).toEqual([128, 0, 0, 255]);
  });
});

describe('an annotated picture', () => {
  const grey = async (change: (dataset: Dataset) => unknown = () => {}) =>
    displayImage(
      await image({ columns: 64, rows: 32, data: new Uint8Array(64 * 32).fill(100) }, (dataset) => {
        dataset.set('WindowCenter', 128).set('WindowWidth', 256);
        change(dataset);
      }),
    );
  const pixel = ({ data, width }: { data: Uint8Array; width: number }, x: number, y: number) => [
    ...data.subarray(3 * (x + y * width), 3 * (x + y * width) + 3),
  ];

  it('has pixels as high and wide as the image says', async () => {
    const picture = annotatedPicture(await grey((dataset) => dataset.set('PixelSpacing', [3, 1])), [], { title: '' });
    // 64 mm by 96 mm: the longer side grows to 640.
    expect(picture.height).toBe(640);
    expect([pixel(picture, 426, 639), pixel(picture, 428, 639)]).toEqual([
      [100, 100, 100],
      [12, 12, 12],
    ]);
  });

  it('is half covered inside a mask and untouched outside', async () => {
    const inside = new Uint8Array(64 * 32);
    for (let y = 8; y < 16; y++) inside.fill(255, y * 64 + 16, y * 64 + 32);
    const picture = annotatedPicture(await grey(), [{ kind: 'mask', label: 'a', colour: [0, 200, 0], inside }], {
      title: '',
    });
    expect(pixel(picture, 240, 120)).toEqual([50, 150, 50]);
    expect(pixel(picture, 165, 120)).toEqual([50, 150, 50]);
    for (const [x, y] of [
      [155, 120],
      [325, 120],
      [240, 75],
      [240, 165],
    ])
      expect(pixel(picture, x, y)).toEqual([100, 100, 100]);
  });

  it('shows the smaller of two masks in its own colour, whatever their order', async () => {
    const small = new Uint8Array(64 * 32).fill(1, 16 * 64 + 20, 16 * 64 + 40);
    for (let y = 10; y < 24; y++) small.fill(1, y * 64 + 20, y * 64 + 40);
    const masks = [
      { kind: 'mask' as const, label: 'small', colour: [0, 200, 0] as const, inside: small },
      { kind: 'mask' as const, label: 'all', colour: [200, 0, 0] as const, inside: new Uint8Array(64 * 32).fill(1) },
    ];
    for (const order of [masks, [...masks].reverse()]) {
      const picture = annotatedPicture(await grey(), order, { title: '' });
      expect([pixel(picture, 300, 160), pixel(picture, 500, 160)]).toEqual([
        [50, 150, 50],
        [150, 50, 50],
      ]);
    }
  });

  it('has a red frame five pixels wide around a box, and a ruler from end to end', async () => {
    const picture = annotatedPicture(
      await grey(),
      [
        { kind: 'box', label: '', from: [10, 10], to: [20, 20] },
        { kind: 'ruler', label: '', from: [40, 5], to: [60, 5], length: '' },
      ],
      { title: '' },
    );
    const red = [255, 0, 0];
    // The middle of pixel 10 is 10.5 pixels from the edge.
    expect([102, 103, 107, 108].map((x) => pixel(picture, x, 150).join() === red.join())).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(pixel(picture, 150, 105)).toEqual(red);
    expect(pixel(picture, 150, 150)).toEqual([100, 100, 100]);
    expect(pixel(picture, 500, 55)).toEqual([255, 221, 51]);
    expect(pixel(picture, 390, 55)).toEqual([100, 100, 100]);
  });

  it('blends a heat map by the opacity of its colours', async () => {
    const values = new Uint8Array(64 * 32).fill(0).fill(255, 0, 64 * 16);
    const colours = anchoredColours([
      { threshold: 0, color: [0, 0, 0, 0] },
      { threshold: 1, color: [200, 0, 0, 255] },
    ]);
    const picture = annotatedPicture(await grey(), [{ kind: 'heat', label: 'h', values, colours }], { title: '' });
    expect([pixel(picture, 300, 50), pixel(picture, 300, 300)]).toEqual([
      [150, 50, 50],
      [100, 100, 100],
    ]);
  });

  it('refuses a mask of another size', async () => {
    const display = await grey();
    const wrong = { kind: 'mask' as const, label: 'a', colour: [0, 200, 0] as const, inside: new Uint8Array(5) };
    expect(() => annotatedPicture(display, [wrong], { title: '' })).toThrow(RangeError);
  });
});
