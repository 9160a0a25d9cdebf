/**
 * One frame of a DICOM image as a person would see it on a screen: rescale, window or VOI table (PS3.3 C.11.1, C.11.2),
 * MONOCHROME1 turned, palettes and YBR as RGB. Images without a window get percentiles, a CT one that shows lung to bone.
 */
import { applyPalette, type Dataset, type DicomFile, decodeFrameInto, openFrames } from '@isocenter/dicom';
import type { Volume } from '@isocenter/volume';
import { type GreyWindow, greyWindow } from '../encoders/overlay/grey-window.js';
import { type LookUpTable, lookUp, readLookUpTable } from './look-up-table.js';

export interface DisplayImage {
  readonly width: number;
  readonly height: number;
  /** 3 bytes a pixel, row by row from the top. */
  readonly rgb: Uint8Array;
  /** Height of a pixel over its width, in the patient or on the detector; 1 where the image does not say. */
  readonly pixelAspect: number;
}

/** The parts of a picture's way to the screen that may stand in functional groups. */
interface FrameAttributes {
  readonly rescale: Dataset;
  readonly voi: Dataset;
}

/** `frame` counts from 0. Throws DicomError when the pixels cannot be decoded. */
export async function displayImage(file: DicomFile, frame = 0): Promise<DisplayImage> {
  const { description, photometric } = openFrames(file);
  const { rows, columns, samplesPerPixel } = description;
  const stored = new Float32Array(rows * columns * samplesPerPixel);
  await decodeFrameInto(file, frame, stored, 0);
  const { dataset } = file;
  const shape = { width: columns, height: rows, pixelAspect: aspectOf(dataset, frame) };
  if (photometric === 'PALETTE COLOR') return { ...shape, rgb: applyPalette(dataset, stored) };
  if (samplesPerPixel >= 3)
    return { ...shape, rgb: colours(stored, samplesPerPixel, description.bitsStored, photometric) };
  const attributes = attributesOf(dataset, frame);
  const measured = rescaled(stored, attributes.rescale);
  const grey = greyLevels(measured, attributes.voi, dataset, paddingOf(dataset));
  const rgb = new Uint8Array(rows * columns * 3);
  const inverted = photometric === 'MONOCHROME1' || dataset.string('PresentationLUTShape') === 'INVERSE';
  for (let at = 0; at < grey.length; at++) rgb.fill(inverted ? 255 - grey[at] : grey[at], 3 * at, 3 * at + 3);
  return { ...shape, rgb };
}

function groupOf(
  dataset: Dataset,
  frame: number,
  sequence: 'FrameVOILUTSequence' | 'PixelMeasuresSequence' | 'PixelValueTransformationSequence',
) {
  return (
    dataset.items('PerFrameFunctionalGroupsSequence')[frame]?.items(sequence)[0] ??
    dataset.items('SharedFunctionalGroupsSequence')[0]?.items(sequence)[0]
  );
}

function attributesOf(dataset: Dataset, frame: number): FrameAttributes {
  return {
    rescale: groupOf(dataset, frame, 'PixelValueTransformationSequence') ?? dataset,
    voi: groupOf(dataset, frame, 'FrameVOILUTSequence') ?? dataset,
  };
}

function aspectOf(dataset: Dataset, frame: number): number {
  const measures = groupOf(dataset, frame, 'PixelMeasuresSequence');
  const candidates = [
    measures?.numbers('PixelSpacing') ?? [],
    dataset.numbers('PixelSpacing'),
    dataset.numbers('ImagerPixelSpacing'),
    dataset.numbers('NominalScannedPixelSpacing'),
    dataset.numbers('PixelAspectRatio'),
  ];
  for (const [vertical, horizontal] of candidates) if (vertical > 0 && horizontal > 0) return vertical / horizontal;
  return 1;
}

function rescaled(stored: Float32Array, attributes: Dataset): Float32Array {
  const [table] = attributes.items('ModalityLUTSequence');
  const lut = table && readLookUpTable(table);
  if (lut) return stored.map((value) => lookUp(lut, value));
  const slope = attributes.number('RescaleSlope') ?? 1;
  const intercept = attributes.number('RescaleIntercept') ?? 0;
  return slope === 1 && intercept === 0 ? stored : stored.map((value) => value * slope + intercept);
}

/** Stored value that stands outside what was measured, brought to the scale of the rest; percentiles leave it out. */
function paddingOf(dataset: Dataset): number | undefined {
  const stored = dataset.number('PixelPaddingValue');
  if (stored === undefined) return undefined;
  const signed = dataset.number('PixelRepresentation') === 1;
  const range = 2 ** (dataset.number('BitsAllocated') ?? 16);
  const value = signed && stored >= range / 2 ? stored - range : stored;
  return value * (dataset.number('RescaleSlope') ?? 1) + (dataset.number('RescaleIntercept') ?? 0);
}

function greyLevels(values: Float32Array, voi: Dataset, dataset: Dataset, padding: number | undefined): Uint8Array {
  const width = voi.number('WindowWidth');
  const centre = voi.number('WindowCenter');
  const [table] = voi.items('VOILUTSequence');
  const lut = table && readLookUpTable(table);
  const out = new Uint8Array(values.length);
  if (centre !== undefined && width !== undefined && width > 0) {
    const shade = windowFunction(voi.string('VOILUTFunction'), centre, width);
    for (let at = 0; at < out.length; at++) out[at] = Math.round(255 * shade(values[at]));
  } else if (lut) spread(out, values, lut);
  else {
    const { black, white } = windowOf(values, dataset.string('Modality'), padding);
    const gain = 255 / (white - black);
    for (let at = 0; at < out.length; at++)
      out[at] = Math.round(Math.min(Math.max((values[at] - black) * gain, 0), 255));
  }
  return out;
}

/** The table's own range to black and white. */
function spread(out: Uint8Array, values: Float32Array, lut: LookUpTable): void {
  const largest = 2 ** lut.bits - 1;
  for (let at = 0; at < out.length; at++)
    out[at] = Math.round((255 * Math.min(lookUp(lut, values[at]), largest)) / largest);
}

/** Grey (0..1) of a value: PS3.3 C.11.2.1.2 (linear), C.11.2.1.3.1 (sigmoid), C.11.2.1.3.2 (exact). */
function windowFunction(name: string | undefined, centre: number, width: number): (value: number) => number {
  const clamped = (share: number) => Math.min(Math.max(share, 0), 1);
  if (name === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - centre)) / width));
  if (name === 'LINEAR_EXACT') return (value) => clamped((value - centre) / width + 0.5);
  // A width of 1 is a threshold; the formula would divide by zero.
  if (width <= 1) return (value) => (value > centre - 0.5 ? 1 : 0);
  return (value) => clamped((value - (centre - 0.5)) / (width - 1) + 0.5);
}

function windowOf(values: Float32Array, modality: string | undefined, padding: number | undefined): GreyWindow {
  const measured = padding === undefined ? values : values.filter((value) => value !== padding);
  return greyWindow({ data: measured } as unknown as Volume, modality);
}

/** Colour samples of any depth to 8 bits; YBR by the full-range formula of PS3.3 C.7.6.3.1.2. */
function colours(stored: Float32Array, samples: number, bits: number, photometric: string): Uint8Array {
  const pixels = stored.length / samples;
  const rgb = new Uint8Array(pixels * 3);
  const scale = 255 / (2 ** bits - 1);
  const clamp = (value: number) => Math.min(Math.max(Math.round(value), 0), 255);
  const ybr = photometric.startsWith('YBR');
  for (let at = 0; at < pixels; at++) {
    const [a, b, c] = [0, 1, 2].map((s) => stored[at * samples + s] * scale);
    rgb[3 * at] = clamp(ybr ? a + 1.402 * (c - 128) : a);
    rgb[3 * at + 1] = clamp(ybr ? a - 0.344136 * (b - 128) - 0.714136 * (c - 128) : b);
    rgb[3 * at + 2] = clamp(ybr ? a + 1.772 * (b - 128) : c);
  }
  return rgb;
}
