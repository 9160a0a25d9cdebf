/**
 * Opens whatever a user has: a zip, tar or folder of DICOM, one DICOM file, a NIfTI or NRRD file or several. What it is
 * is told by the bytes; names serve only to tell channels apart (`ct/…`, `flair/…`).
 */
import { type Scan, scanSources } from '@isocenter/dicom';
import {
  ArchiveError,
  type ByteSource,
  gunzipBytes,
  type IntakeLimits,
  isGzip,
  isNifti,
  isNrrd,
  NRRD_HEADER_BYTES,
  type OpenedSources,
  openSources,
  readNifti,
  readNrrd,
  readNrrdGrid,
  type SourcesOrigin,
} from '@isocenter/formats';
import { makeVolume, type Volume, voxelCount, type Watch } from '@isocenter/volume';
import { IntakeError } from './intake-error.js';

export interface OpenStudyOptions {
  readonly limits?: Partial<IntakeLimits>;
  /** Name of an input that comes as bytes. */
  readonly name?: string;
  /** `archive`: refuse anything but a zip or tar. */
  readonly expect?: 'any' | 'archive';
  /** Refuse two files of one name in different folders, as readers that put all into one folder must. */
  readonly uniqueNames?: boolean;
  /** Of a NRRD file the header alone is read; all its values are 0. */
  readonly gridOnly?: boolean;
}

/** An image of a NIfTI or NRRD file; several for a 4-D one. */
export interface ImageFile {
  readonly name: string;
  readonly format: 'nifti' | 'nrrd';
  readonly channels: readonly Volume[];
}

interface StudyBase {
  readonly origin: SourcesOrigin;
  /** Entries that were left out (links, litter of operating systems). */
  readonly ignored: number;
  /** Ends all reading and removes temporary files. */
  close(): Promise<void>;
}

export interface DicomStudy extends StudyBase {
  readonly kind: 'dicom';
  readonly scan: Scan;
}

export interface VolumeStudy extends StudyBase {
  readonly kind: 'volume';
  readonly images: readonly ImageFile[];
}

export type Study = DicomStudy | VolumeStudy;

/** Enough of a file to know NIfTI-1, NIfTI-2 and NRRD by. */
const SNIFF_BYTES = 560;

/**
 * Throws ArchiveError, FormatError, IntakeError `no-images`, the abort reason. The caller closes the study it gets;
 * after an error everything is closed already.
 */
export async function openStudy(
  input: string | Uint8Array,
  options: OpenStudyOptions = {},
  watch: Watch = {},
): Promise<Study> {
  const opened = await openSources(input, options);
  const base = { origin: opened.origin, ignored: opened.ignored, close: () => opened.close() };
  try {
    if (options.uniqueNames) refuseDuplicates(opened.sources);
    if (await isPlainImage(opened))
      return {
        kind: 'volume',
        images: await readImageFiles(opened.sources, options.gridOnly === true, watch),
        ...base,
      };
    const scan = await scanSources(opened.sources, watch);
    // Where an archive was demanded, one that is damaged inside is no archive, rather than a study with damaged files.
    const broken = scan.refused.find(({ failure }) => failure instanceof ArchiveError);
    if (options.expect === 'archive' && broken) throw broken.failure;
    if (scan.series.length > 0 || scan.objects.length > 0) return { kind: 'dicom', scan, ...base };
    const images = await readImageFiles(opened.sources, options.gridOnly === true, watch);
    if (images.length > 0) return { kind: 'volume', images, ...base };
    if (scan.refused.length > 0) throw scan.refused[0].failure;
    throw new IntakeError('no-images', 'The input holds no images that can be read', {
      where: `${opened.sources.length} file${opened.sources.length === 1 ? '' : 's'}, none is DICOM, NIfTI or NRRD`,
      next: 'Give DICOM images (a zip, a folder or one file), NIfTI (.nii, .nii.gz) or NRRD.',
    });
  } catch (error) {
    await opened.close();
    throw error;
  }
}

const DICOM_MARK_AT = 128;

/** One NIfTI or NRRD file as it lies, which has no checksum that the search for DICOM would check by reading it once more. */
async function isPlainImage({ origin, sources: [first] }: OpenedSources): Promise<boolean> {
  if (origin !== 'file' || !first) return false;
  const start = await first.prefix(SNIFF_BYTES);
  const mark = Buffer.from(start.subarray(DICOM_MARK_AT, DICOM_MARK_AT + 4)).toString('latin1');
  return mark !== 'DICM' && (isNrrd(start) || isNifti(start));
}

/** Counted, not named: names of files are often those of patients. */
function refuseDuplicates(sources: readonly ByteSource[]): void {
  const distinct = new Set(sources.map(({ name }) => name.replace(/^.*[\\/]/s, ''))).size;
  if (distinct === sources.length) return;
  throw new IntakeError(
    'duplicate-names',
    `Zip file contains duplicates: ${sources.length - distinct} of its ${sources.length} files have the name of another`,
    {
      where: 'names of the files without their folders',
      next: 'Give every file a name of its own, or use a protocol that keeps folders.',
    },
  );
}

async function readImageFiles(sources: readonly ByteSource[], gridOnly: boolean, watch: Watch): Promise<ImageFile[]> {
  const images: ImageFile[] = [];
  const sorted = [...sources].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const source of sorted) {
    watch.signal?.throwIfAborted();
    const image = await readImageFile(source, gridOnly);
    if (image) images.push(image);
  }
  return images;
}

async function readImageFile(source: ByteSource, gridOnly: boolean): Promise<ImageFile | undefined> {
  const start = await source.prefix(SNIFF_BYTES);
  if (gridOnly && isNrrd(start)) {
    const { size, affine } = readNrrdGrid(await source.prefix(NRRD_HEADER_BYTES), source.size);
    // Pages that nobody writes or reads take no memory.
    const volume = makeVolume(new Uint8Array(voxelCount(size)), size, affine);
    return { name: source.name, format: 'nrrd', channels: [volume] };
  }
  const packed = isGzip(start);
  if (!packed && !isNifti(start) && !isNrrd(start)) return undefined;
  const bytes = packed ? await gunzipBytes(await source.read()) : await source.read();
  if (isNrrd(bytes)) return { name: source.name, format: 'nrrd', channels: (await readNrrd(bytes)).channels };
  if (isNifti(bytes)) return { name: source.name, format: 'nifti', channels: (await readNifti(bytes)).channels };
  return undefined;
}
