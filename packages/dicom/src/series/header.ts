/**
 * Reads no more of a source than its header needs: a first prefix, larger ones while the pixel data element has not come
 * in sight, the whole source as last resort.
 */
import { isFailure } from '@isocenter/volume';
import type { DicomError } from '../dataset/errors.js';
import { type DicomFile, parseDicom } from '../dataset/parse.js';
import { objectIdentity } from './instance.js';
import { objectKind } from './objects.js';
import type { InstanceSource } from './source.js';

/** A CT header is 2 to 10 KB. */
const FIRST_PREFIX = 16 * 1024;
const PREFIX_GROWTH = 4;
/** Headers with private scanner protocols or per-frame groups reach some 100 KB; beyond this the rest is read as well. */
const LAST_PREFIX = 1024 * 1024;

/** `undefined`: the source is not DICOM. Throws DicomError when it is damaged, and whatever the source throws. */
export async function readHeader(source: InstanceSource): Promise<DicomFile | undefined> {
  for (let want = FIRST_PREFIX; ; want *= PREFIX_GROWTH) {
    const partial = want <= LAST_PREFIX && want < source.size;
    const bytes = partial ? await source.prefix(want) : await source.read();
    try {
      const file = parseDicom(bytes, { untilPixelData: true, partial, fileSize: source.size });
      if (file.complete || isKnownObject(file)) return file;
    } catch (error) {
      if (isNotDicom(error)) {
        // Read once to its end, so that a damaged entry (CRC) is an error here and never a slice that silently lacks.
        if (partial) await source.read();
        return undefined;
      }
      throw error;
    }
  }
}

function isNotDicom(error: unknown): error is DicomError {
  return isFailure(error) && error.kind === 'not-dicom';
}

/** Structure sets and the like are listed by their first attributes; their megabytes of contours need not be read now. */
function isKnownObject(file: DicomFile): boolean {
  return objectKind(objectIdentity(file).SOPClassUID, file.dataset.string('Modality') ?? '') !== undefined;
}
