/**
 * Reads no more of a source than its header needs: a first prefix, larger ones while the pixel data element has not come
 * in sight, the whole source as last resort.
 */
import { isFailure } from '@isocenter/volume';
import { type DicomFile, parseDicom } from '../dataset/parse.js';
import { objectIdentity } from './instance.js';
import { type DicomObjectKind, objectKind } from './objects.js';
import type { InstanceSource } from './source.js';

/** A CT header is 2 to 7 KB; those with a scanner's private protocol 60 to 200 KB. */
const FIRST_PREFIX = 8 * 1024;
const PREFIX_GROWTH = 8;
/** Headers with private scanner protocols or per-frame groups reach some 100 KB; beyond this the rest is read as well. */
const LAST_PREFIX = 1024 * 1024;

/** `undefined`: the source is not DICOM. Throws DicomError when it is damaged, and whatever the source throws. */
export async function readHeader(source: InstanceSource): Promise<DicomFile | undefined> {
  for (let want = FIRST_PREFIX; ; want *= PREFIX_GROWTH) {
    const partial = want <= LAST_PREFIX && want < source.size;
    const bytes = partial ? await source.prefix(want) : await source.read();
    try {
      const file = parseDicom(bytes, { untilPixelData: true, partial, fileSize: source.size });
      if (file.complete || kindOf(file) !== undefined) return file;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.kind === 'not-dicom') {
        // Read once to its end, so that a damaged entry (CRC) is an error here and never a slice that silently lacks.
        if (partial) await source.read();
        return undefined;
      }
      const start = glimpse(bytes);
      // What a DICOMDIR lists is never followed, so its damage is nobody's loss.
      if (start && kindOf(start) === 'DICOMDIR') return start;
      throw error;
    }
  }
}

/** Structure sets and the like are listed by their first attributes; their megabytes of contours need not be read now. */
function kindOf(file: DicomFile): DicomObjectKind | undefined {
  return objectKind(objectIdentity(file).SOPClassUID, file.dataset.string('Modality') ?? '');
}

const GLIMPSE = 512;

/** The meta group of a damaged file. */
function glimpse(bytes: Uint8Array): DicomFile | undefined {
  try {
    return parseDicom(bytes.subarray(0, GLIMPSE), { partial: true });
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
}
