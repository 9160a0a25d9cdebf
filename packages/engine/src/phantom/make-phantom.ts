/**
 * A synthetic study with known truth: DICOM files of a thorax CT or a head MR, and the segmentation they were made from.
 * The same options give the same bytes.
 */
import { type Dataset, setPixelData, writeDicom } from '@isocenter/dicom';
import {
  Failure,
  type Grid,
  makeVolume,
  type Segmentation,
  type Size3,
  type Vector3,
  type Volume,
  type Watch,
} from '@isocenter/volume';
import { Canvas } from './canvas.js';
import { head } from './head.js';
import { BITS_STORED, CT_INTERCEPT, imageHeader, type PhantomKind } from './image-header.js';
import { type PhantomGridOptions, type PhantomPlane, phantomGrid } from './phantom-grid.js';
import { seededRandom } from './random.js';
import { thorax } from './thorax.js';

export class PhantomError extends Failure<'wrong-option'> {}

export interface PhantomOptions {
  readonly kind?: PhantomKind;
  /** Any text; default '1'. Vessels, noise and UIDs follow from it. */
  readonly seed?: string;
  /** Columns, rows, slices. */
  readonly size?: Size3;
  /** mm between columns, rows, slices. */
  readonly spacing?: Vector3;
  readonly plane?: PhantomPlane;
  /** Degrees about the patient's x, y and z axes. */
  readonly tilt?: Vector3;
  readonly flipColumns?: boolean;
  readonly flipRows?: boolean;
  /** Patient Position, default HFS. Feet first also numbers the images from the feet. */
  readonly patientPosition?: 'HFS' | 'FFS' | 'HFP' | 'FFP';
  /** Default explicit VR little endian; any that `supportedTransferSyntaxes` says can be encoded. */
  readonly transferSyntaxUID?: string;
  /** LPS mm of the middle of the images. */
  readonly centre?: Vector3;
}

export interface Phantom {
  /** One file a slice, named by instance number. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly segmentation: Segmentation;
  readonly grid: Grid;
  /** The voxels of the files: HU for the thorax. */
  readonly volume: Volume<Int16Array>;
}

const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** Rows and Columns are 16-bit numbers (PS3.3 C.7.6.3). */
const LONGEST_SIDE = 65_535;
const MOST_VOXELS = 1024 * 1024 * 2048;
const DEFAULTS: Record<PhantomKind, { size: Size3; spacing: Vector3; centre: Vector3 }> = {
  thorax: { size: [512, 512, 120], spacing: [0.9, 0.9, 3], centre: [0, 16, -20] },
  head: { size: [256, 256, 160], spacing: [0.95, 0.95, 1.3], centre: [0, 0, -6] },
};
/** Prone images turn with the patient: columns and rows run the other way. */
const PRONE = new Set(['HFP', 'FFP']);

/** Draws the anatomy on the grid of the options, without making files. Throws PhantomError `wrong-option`. */
export function drawPhantom(options: PhantomOptions = {}): Omit<Phantom, 'files'> {
  const kind = options.kind ?? 'thorax';
  const grid = gridOf(kind, options);
  const random = seededRandom(`${kind} ${options.seed ?? '1'}`);
  const anatomy = kind === 'thorax' ? thorax(random) : head();
  const canvas = new Canvas(grid, anatomy.background);
  for (const paint of anatomy.paint) canvas.paint(paint);
  canvas.addNoise(anatomy.noise, random, anatomy.floor);
  const { size, affine } = grid;
  const layers = canvas.layers.map((data) => makeVolume(data, size, affine));
  const segmentation: Segmentation = Object.freeze({
    kind: 'segmentation',
    grid,
    layers,
    structures: anatomy.structures,
  });
  return { grid, segmentation, volume: makeVolume(canvas.values, size, affine) };
}

/** Throws PhantomError `wrong-option`, DicomError for a transfer syntax that cannot be written. */
export async function makePhantom(options: PhantomOptions = {}, watch: Watch = {}): Promise<Phantom> {
  const kind = options.kind ?? 'thorax';
  const drawn = drawPhantom(options);
  const { grid, volume } = drawn;
  const [columns, rows, slices] = grid.size;
  const seed = options.seed ?? '1';
  const patientPosition = options.patientPosition ?? 'HFS';
  const transferSyntaxUID = options.transferSyntaxUID ?? EXPLICIT_VR_LITTLE_ENDIAN;
  const offset = kind === 'thorax' ? CT_INTERCEPT : 0;
  const feetFirst = patientPosition.startsWith('FF');
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (let k = 0; k < slices; k++) {
    watch.signal?.throwIfAborted();
    const number = feetFirst ? slices - k : k + 1;
    const header: Dataset = imageHeader({ kind, seed, patientPosition, grid }, k, number);
    const data = new Uint16Array(rows * columns);
    const from = k * data.length;
    for (let n = 0; n < data.length; n++)
      data[n] = Math.min(Math.max(volume.data[from + n] - offset, 0), 2 ** BITS_STORED - 1);
    await setPixelData(
      header,
      {
        rows,
        columns,
        samplesPerPixel: 1,
        bitsAllocated: 16,
        bitsStored: BITS_STORED,
        pixelRepresentation: 0,
        photometric: 'MONOCHROME2',
        data,
      },
      transferSyntaxUID,
    );
    files.push({
      name: `image-${String(number).padStart(4, '0')}.dcm`,
      bytes: writeDicom(header, { transferSyntaxUID }),
    });
    watch.progress?.(k + 1, slices, 'write images');
  }
  return { ...drawn, files };
}

function gridOf(kind: PhantomKind, options: PhantomOptions): Grid {
  const defaults = DEFAULTS[kind];
  const size = options.size ?? defaults.size;
  const spacing = options.spacing ?? defaults.spacing;
  if (size.some((n) => !Number.isInteger(n) || n < 1 || n > LONGEST_SIDE) || size[0] * size[1] * size[2] > MOST_VOXELS)
    throw wrong(`a size of ${size.join(' × ')}`, 'Give three whole numbers from 1, such as 512, 512, 100.');
  if (spacing.some((mm) => !(mm >= 0.001 && mm < 1000)))
    throw wrong(`a spacing of ${spacing.join(', ')} mm`, 'Give three lengths in millimetres, such as 0.9, 0.9, 3.');
  const prone = PRONE.has(options.patientPosition ?? 'HFS');
  const grid: PhantomGridOptions = {
    size,
    spacing,
    plane: options.plane,
    tilt: options.tilt,
    flipColumns: prone !== (options.flipColumns ?? false),
    flipRows: prone !== (options.flipRows ?? false),
    centre: options.centre ?? defaults.centre,
  };
  return phantomGrid(grid);
}

function wrong(what: string, next: string): PhantomError {
  return new PhantomError('wrong-option', `A phantom cannot have ${what}`, { next });
}
