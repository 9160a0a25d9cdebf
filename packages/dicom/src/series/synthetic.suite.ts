/** For tests: series whose voxels say where they lie, so that any mistake of order, direction or spacing shows. */
import { indexToPatient, type Vector3 } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { writeDicom } from '../dataset/serialize.js';
import { uidFrom } from '../dataset/uid.js';
import type { InstanceSource } from './source.js';

export interface SyntheticOptions {
  readonly rows?: number;
  readonly columns?: number;
  readonly slices?: number;
  readonly rowDirection?: Vector3;
  readonly columnDirection?: Vector3;
  /** mm between rows, between columns. */
  readonly pixelSpacing?: readonly [number, number];
  /** LPS mm of the first pixel of slice k. */
  readonly positions?: readonly Vector3[];
  readonly seed?: string;
  readonly transferSyntaxUID?: string;
  /** Last changes to the data set of slice k. */
  readonly edit?: (dataset: Dataset, k: number) => void;
  /** Last changes to the bytes of slice k. */
  readonly bytes?: (file: Uint8Array, k: number) => Uint8Array;
}

export const CT_STORAGE = '1.2.840.10008.5.1.4.1.1.2';

/** What the voxel at an LPS position shows: linear, so that each direction and distance has its own part in it. */
export function valueAt([x, y, z]: Vector3): number {
  return Math.round(2 * x + 5 * y + 11 * z);
}

export function source(name: string, bytes: Uint8Array): InstanceSource {
  return {
    name,
    size: bytes.length,
    prefix: async (count) => bytes.slice(0, count),
    read: async () => bytes,
  };
}

/** Positions of `count` slices, `step` apart from `origin`. */
export function positionsAlong(origin: Vector3, step: Vector3, count: number): readonly Vector3[] {
  return Array.from(
    { length: count },
    (_, k): Vector3 => [origin[0] + k * step[0], origin[1] + k * step[1], origin[2] + k * step[2]],
  );
}

/** CT, 16 bit unsigned with intercept -1024, or what `edit` makes of it. */
export function syntheticFiles(options: SyntheticOptions = {}): readonly Uint8Array[] {
  const { rows = 5, columns = 7, slices = 6, pixelSpacing = [1.5, 0.75], seed = 'series' } = options;
  const row = options.rowDirection ?? [1, 0, 0];
  const column = options.columnDirection ?? [0, 1, 0];
  const positions = options.positions ?? positionsAlong([-10, 20, -30], [0, 0, 2.5], slices);
  return positions.map((position, k) => {
    const affine = [0, 1, 2].flatMap((axis) => [
      row[axis] * pixelSpacing[1],
      column[axis] * pixelSpacing[0],
      0,
      position[axis],
    ]);
    const pixels = new Uint16Array(rows * columns);
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++)
        pixels[j * columns + i] = valueAt(indexToPatient([...affine, 0, 0, 0, 1], i, j, 0)) + 1024;
    const dataset = new Dataset()
      .set('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'])
      .set('SOPClassUID', CT_STORAGE)
      .set('SOPInstanceUID', uidFrom(`${seed} ${k}`))
      .set('Modality', 'CT')
      .set('StudyInstanceUID', uidFrom('study'))
      .set('SeriesInstanceUID', uidFrom(seed))
      .set('FrameOfReferenceUID', uidFrom('frame of reference'))
      .set('SeriesNumber', 1)
      .set('InstanceNumber', positions.length - k)
      .set('ImagePositionPatient', [...position])
      .set('ImageOrientationPatient', [...row, ...column])
      .set('PixelSpacing', [...pixelSpacing])
      .set('SliceThickness', 4)
      .set('SamplesPerPixel', 1)
      .set('PhotometricInterpretation', 'MONOCHROME2')
      .set('Rows', rows)
      .set('Columns', columns)
      .set('BitsAllocated', 16)
      .set('BitsStored', 16)
      .set('HighBit', 15)
      .set('PixelRepresentation', 0)
      .set('RescaleIntercept', -1024)
      .set('RescaleSlope', 1)
      .set('PixelData', new Uint8Array(pixels.buffer), 'OW');
    options.edit?.(dataset, k);
    const file = writeDicom(dataset, options.transferSyntaxUID ? { transferSyntaxUID: options.transferSyntaxUID } : {});
    return options.bytes?.(file, k) ?? file;
  });
}

export function syntheticSeries(options: SyntheticOptions = {}): readonly InstanceSource[] {
  return syntheticFiles(options).map((file, k) => source(`slice-${k}.dcm`, file));
}
