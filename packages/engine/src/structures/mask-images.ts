/**
 * Structures from NIfTI and NRRD: one label map, a Slicer segmentation (.seg.nrrd with its segment fields), or one
 * binary mask per file. Images lie where their own header says.
 */
import { type ByteSource, gunzipBytes, isGzip, isNifti, isNrrd, readNifti, readNrrd } from '@isocenter/formats';
import {
  distinctColour,
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
/** Slicer writes fields of up to this many segments that we look for. */
const MOST_SEGMENTS = 4096;
const LARGEST_LABEL = 65535;

/** A file that may hold masks, by its bytes: NIfTI (also gzipped) or NRRD. */
export async function isMaskImage(source: ByteSource): Promise<boolean> {
  const start = await source.prefix(SNIFF_BYTES);
  if (!isGzip(start)) return isNrrd(start) || isNifti(start);
  // By its name at once; what is gzipped under another name has to be unpacked to be known.
  if (/\.nii\.gz$/i.test(source.name)) return true;
  return source
    .read()
    .then(gunzipBytes)
    .then(isNifti, () => false);
}

interface ReadImage {
  readonly name: string;
  readonly channels: readonly Volume[];
  /** Key/value pairs of an NRRD header; empty for NIfTI. */
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * Reads all files into one segmentation, one after the other: a folder of a hundred organs needs the memory of one image and of
 * the layers. Throws StructuresError `not-a-mask`, `different-grids`; FormatError.
 */
export async function readMaskImages(sources: readonly ByteSource[]): Promise<Segmentation> {
  const several = sources.length > 1;
  let builder: SegmentationBuilder | undefined;
  let grid: Grid | undefined;
  let count = 0;
  for (const source of [...sources].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const image = await readImage(source);
    grid ??= { size: image.channels[0].size, affine: image.channels[0].affine };
    builder ??= new SegmentationBuilder(grid);
    for (const [layer, channel] of image.channels.entries()) {
      if (!sameGrid(channel, grid))
        throw new StructuresError('different-grids', 'The mask images do not lie on one grid', {
          where: image.name,
          next: 'Give masks that were made on the same images.',
        });
      for (const { name, label, colour } of structuresOf(image, layer, several))
        builder.add(structure(name, colour, count++), binary(channel, label));
    }
  }
  if (!builder) throw new StructuresError('no-structures', 'There are no mask images');
  return builder.build();
}

/**
 * What a channel holds, by ascending label: the segments that its header lists for this layer, also empty ones, and labels without a
 * name. A binary mask is named by its file; an empty one is an empty structure, not nothing: somebody looked.
 */
function structuresOf(image: ReadImage, layer: number, several: boolean): readonly Omit<SegmentField, 'layer'>[] {
  const labels = labelsOf(image.channels[layer], image.name);
  const fields = segmentFields(image)?.filter((field) => field.layer === layer);
  if (fields) {
    const unnamed = labels.filter((label) => !fields.some((field) => field.label === label));
    return [...fields, ...unnamed.map(unnamedLabel)].sort((a, b) => a.label - b.label);
  }
  if (labels.length === 0) return [{ name: baseName(image.name), label: 1, colour: undefined }];
  const single = labels.length === 1 && (labels[0] === 1 || several);
  return single ? [{ name: baseName(image.name), label: labels[0], colour: undefined }] : labels.map(unnamedLabel);
}

function unnamedLabel(label: number): Omit<SegmentField, 'layer'> {
  return { name: `label ${label}`, label, colour: undefined };
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
function segmentFields({ keys }: ReadImage): SegmentField[] | undefined {
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

function structure(name: string, colour: readonly [number, number, number] | undefined, index: number): Structure {
  return { name, colour: colour ?? distinctColour(index), interpretedType: '' };
}
