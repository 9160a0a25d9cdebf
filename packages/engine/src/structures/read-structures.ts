/**
 * Structures from whatever a user has: RTSTRUCT, SEG, NIfTI or NRRD masks; one file, an archive or a folder. Masks know
 * their grid; contours do not, so they wait for the grid of the images they were drawn on.
 */
import {
  type DicomObject,
  parseDicom,
  type ReferenceSeries,
  type RtStructureSet,
  readRtstruct,
  readSeg,
  rtstructToSegmentation,
  type Scan,
  scanSources,
  segToSegmentation,
} from '@isocenter/dicom';
import { type ByteSource, openSources } from '@isocenter/formats';
import type { Grid, Segmentation, Watch } from '@isocenter/volume';
import { isMaskImage, readMaskImages } from './mask-images.js';
import { StructuresError } from './structures-error.js';

export type StructureOrigin = 'RTSTRUCT' | 'SEG' | 'masks';

export interface ReadStructures {
  readonly kind: 'read-structures';
  readonly origin: StructureOrigin;
  /** Series the structures were drawn on, where the object says so. */
  readonly referencedSeriesUIDs: readonly string[];
  /** True when `place` needs a grid: contours have none of their own. */
  readonly needsGrid: boolean;
  /**
   * The structures on `on`, or on their own grid. RTSTRUCT: filled by `fill`. SEG: frames matched to `on` by geometry. Masks
   * keep their own grid (bring them onto another with `alignToGrid`). Throws StructuresError `needs-reference`.
   */
  place(
    on?: Grid | ReferenceSeries,
    options?: { readonly fill?: 'even-odd' | 'union' },
  ): { segmentation: Segmentation; notes: readonly string[] };
}

/** Throws StructuresError `no-structures`, `several-objects`, `mixed-formats`; ArchiveError, DicomError, FormatError. */
export async function readStructures(input: string, watch?: Watch): Promise<ReadStructures> {
  const opened = await openSources(input);
  try {
    const images: ByteSource[] = [];
    const others: ByteSource[] = [];
    for (const source of opened.sources) ((await isMaskImage(source)) ? images : others).push(source);
    const scan = await scanSources(others, watch);
    const objects = scan.objects.filter(({ kind }) => kind === 'RTSTRUCT' || kind === 'SEG');
    if (objects.length > 0 && images.length > 0)
      throw new StructuresError('mixed-formats', 'The input holds DICOM structures and mask images', {
        next: 'Give one of them.',
      });
    if (objects.length > 1) throw severalObjects(objects);
    if (objects.length === 1) return await readObject(objects[0]);
    if (images.length > 0) return masks(await readMaskImages(images));
    throw nothing(scan);
  } finally {
    await opened.close();
  }
}

async function readObject({ kind, source }: DicomObject): Promise<ReadStructures> {
  const file = parseDicom(await source.read());
  if (kind === 'RTSTRUCT') return contours(readRtstruct(file));
  const seg = await readSeg(file);
  return {
    kind: 'read-structures',
    origin: 'SEG',
    referencedSeriesUIDs: seg.referencedSeriesUIDs,
    needsGrid: false,
    place: (on) => ({
      segmentation: segToSegmentation(seg, on),
      notes: seg.tolerances.map(({ kind, count, where }) => `${kind} (${count}): ${where}`),
    }),
  };
}

function contours(set: RtStructureSet): ReadStructures {
  return {
    kind: 'read-structures',
    origin: 'RTSTRUCT',
    referencedSeriesUIDs: set.referencedSeriesUIDs,
    needsGrid: true,
    place: (on, options) => {
      if (!on)
        throw new StructuresError('needs-reference', 'Contours have no voxels of their own', {
          next: 'Name the images they were drawn on with --reference.',
        });
      const { segmentation, findings } = rtstructToSegmentation(set, on, options);
      return {
        segmentation,
        notes: findings
          .filter(({ severity }) => severity !== 'note')
          .map(({ message, where }) => `${message} [${where}]`),
      };
    },
  };
}

function masks(segmentation: Segmentation): ReadStructures {
  return {
    kind: 'read-structures',
    origin: 'masks',
    referencedSeriesUIDs: [],
    needsGrid: false,
    place: () => ({ segmentation, notes: [] }),
  };
}

function severalObjects(objects: readonly DicomObject[]): StructuresError {
  return new StructuresError('several-objects', `The input holds ${objects.length} structure objects`, {
    where: objects.map(({ kind, source }) => `${kind} ${source.name}`).join(', '),
    next: 'Give the one file that is meant.',
  });
}

function nothing(scan: Scan): StructuresError {
  const found = [
    scan.series.length > 0 ? `${scan.series.length} image series` : '',
    scan.objects.length > 0 ? scan.objects.map(({ kind }) => kind).join(', ') : '',
    scan.ignored.length > 0 ? `${scan.ignored.length} files that are neither DICOM nor masks` : '',
    scan.refused.length > 0 ? `${scan.refused.length} damaged files (${scan.refused[0].failure.message})` : '',
  ].filter((part) => part !== '');
  return new StructuresError('no-structures', 'The input holds no RTSTRUCT, SEG, NIfTI or NRRD mask', {
    where: found.join('; ') || 'an empty folder',
    next: 'Give a file with structures; `isocenter inspect` lists what is in the input.',
  });
}
