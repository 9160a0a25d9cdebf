/**
 * Structures from NIfTI and NRRD: one label map, a Slicer segmentation (.seg.nrrd with its segment fields), or one
 * binary mask per file. Images lie where their own header says.
 */
import { type ByteSource, isNifti, isNrrd, readNifti, readNrrd } from '@isocenter/formats';
import {
  type Grid,
  type Segmentation,
  SegmentationBuilder,
  type Structure,
  sameGrid,
  type Volume,
} from '@isocenter/volume';
import { StructuresError } from './structures-error.js';

/** Enough of a file to tell its format, gzip header included. */
const SNIFF_BYTES = 512;
const GZIP = [0x1f, 0x8b];
/** Slicer writes fields of up to this many segments that we look for. */
const MOST_SEGMENTS = 4096;
const LARGEST_LABEL = 65535;

/** A file that may hold masks, by its bytes: NIfTI (also gzipped) or NRRD. */
export async function isMaskImage(source: ByteSource): Promise<boolean> {
  const start = await source.prefix(SNIFF_BYTES);
  if (start[0] === GZIP[0] && start[1] === GZIP[1]) return /\.nii(\.gz)?$/i.test(source.name);
  return isNrrd(start) || isNifti(start);
}

interface ReadImage {
  readonly name: string;
  readonly channels: readonly Volume[];
  /** Key/value pairs of an NRRD header; empty for NIfTI. */
  readonly keys: ReadonlyMap<string, string>;
}

/** Reads all files into one segmentation. Throws StructuresError `not-a-mask`, `different-grids`; FormatError. */
export async function readMaskImages(sources: readonly ByteSource[]): Promise<Segmentation> {
  const images: ReadImage[] = [];
  for (const source of [...sources].sort((a, b) => (a.name < b.name ? -1 : 1))) images.push(await readImage(source));
  const grid: Grid = images[0].channels[0];
  const builder = new SegmentationBuilder(grid);
  let count = 0;
  for (const image of images) {
    const names = segmentNames(image);
    image.channels.forEach((channel, layer) => {
      if (!sameGrid(channel, grid))
        throw new StructuresError('different-grids', 'The mask images do not lie on one grid', {
          where: image.name,
          next: 'Give masks that were made on the same images.',
        });
      const labels = labelsOf(channel, image.name);
      // A binary mask is named by its file; an empty one is an empty structure, not nothing: somebody looked.
      const single = !names && (labels.length === 0 || (labels.length === 1 && (labels[0] === 1 || images.length > 1)));
      for (const label of labels.length === 0 ? [1] : labels) {
        const fields = names?.find((field) => field.label === label && field.layer === layer);
        const name = fields?.name ?? (single ? baseName(image.name) : `label ${label}`);
        builder.add(structure(name, fields?.colour, count++), binary(channel, label));
      }
    });
  }
  return builder.build();
}

async function readImage(source: ByteSource): Promise<ReadImage> {
  const bytes = await source.read();
  if (isNrrd(bytes)) {
    const { channels, keyValues } = await readNrrd(bytes);
    return { name: source.name, channels, keys: keyValues };
  }
  return { name: source.name, channels: (await readNifti(bytes)).channels, keys: new Map() };
}

/** Labels in ascending order, without background. Throws `not-a-mask` for values that are no small whole numbers. */
function labelsOf({ data }: Volume, name: string): number[] {
  const seen = new Uint8Array(LARGEST_LABEL + 1);
  for (let n = 0; n < data.length; n++) {
    const value = data[n];
    if (value < 0 || value > LARGEST_LABEL || value !== Math.floor(value))
      throw new StructuresError('not-a-mask', `The image holds the value ${value}, so it is no mask or label map`, {
        where: name,
        next: `Labels must be whole numbers from 0 to ${LARGEST_LABEL}; give the segmentation, not the image it was made from.`,
      });
    seen[value] = 1;
  }
  const labels: number[] = [];
  for (let label = 1; label <= LARGEST_LABEL; label++) if (seen[label]) labels.push(label);
  return labels;
}

interface SegmentField {
  readonly name: string;
  readonly label: number;
  readonly layer: number;
  readonly colour: readonly [number, number, number] | undefined;
}

/** The segment fields of a Slicer .seg.nrrd, or undefined when there are none. */
function segmentNames({ keys }: ReadImage): SegmentField[] | undefined {
  const fields: SegmentField[] = [];
  for (let n = 0; n < MOST_SEGMENTS; n++) {
    const name = keys.get(`Segment${n}_Name`);
    if (name === undefined) break;
    const colour = keys
      .get(`Segment${n}_Color`)
      ?.trim()
      .split(/\s+/)
      .map((part) => Math.round(Number(part) * 255));
    fields.push({
      name,
      label: Number(keys.get(`Segment${n}_LabelValue`) ?? 1),
      layer: Number(keys.get(`Segment${n}_Layer`) ?? 0),
      colour:
        colour?.length === 3 && colour.every((part) => part >= 0 && part <= 255)
          ? [colour[0], colour[1], colour[2]]
          : undefined,
    });
  }
  return fields.length > 0 ? fields : undefined;
}

function binary({ data }: Volume, label: number): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let n = 0; n < data.length; n++) if (data[n] === label) mask[n] = 1;
  return mask;
}

/** File name without folders and without the ending of its format. */
function baseName(name: string): string {
  return name
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\.(seg\.)?(nii\.gz|nii|nrrd)$/i, '');
}

/** Well separated hues for structures that come without a colour (golden angle). */
const GOLDEN_ANGLE_DEGREES = 137.508;

function structure(name: string, colour: readonly [number, number, number] | undefined, index: number): Structure {
  return { name, colour: colour ?? hue((index * GOLDEN_ANGLE_DEGREES) % 360), interpretedType: '' };
}

/** sRGB of a hue at saturation 0.65 and value 0.95. */
function hue(degrees: number): [number, number, number] {
  const channel = (offset: number) => {
    const position = (offset + degrees / 60) % 6;
    return Math.round(255 * (0.95 - 0.95 * 0.65 * Math.max(0, Math.min(position, 4 - position, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}
