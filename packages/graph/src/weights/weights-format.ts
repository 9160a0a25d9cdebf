/** Which reader a file needs, by its first bytes and never by its name. */
import type { RandomAccess } from './random-access.js';
import { SAVE_AS_STATE_DICT, WeightsError } from './weights-error.js';

/** Bytes that `weightsContainer` looks at: a tar has its mark at 257. */
const LOOKED_AT = 512;
const ZIP_MARK = [0x50, 0x4b];
const HDF5_MARK = [0x89, 0x48, 0x44, 0x46];
const GZIP_MARK = [0x1f, 0x8b];
const TAR_MARK_AT = 257;
/** A pickle of protocol 2 or later begins with PROTO, an older one with a number, a name or something empty. */
const PICKLE_STARTS = [0x80, ...Buffer.from('LIFcVS(])}')];
const OPENING_BRACE = 0x7b;

/** `zip`: open it with the archive reader and give its entries to `readPyTorchArchive`. Throws WeightsError `unsupported-format`. */
export async function weightsContainer(file: RandomAccess): Promise<'zip' | 'pytorch-legacy' | 'safetensors'> {
  const start = await file.read(0, Math.min(LOOKED_AT, file.size));
  const begins = (mark: readonly number[]) => mark.every((byte, n) => start[n] === byte);
  if (begins(ZIP_MARK)) return 'zip';
  if (String.fromCharCode(...start.subarray(TAR_MARK_AT, TAR_MARK_AT + 5)) === 'ustar')
    throw unsupported('a tar of PyTorch before 0.1.10, or another archive');
  if (begins(HDF5_MARK)) throw unsupported('HDF5 (Keras)');
  if (begins(GZIP_MARK)) throw unsupported('packed with gzip');
  // First, because the low byte of a safetensors header's length can be anything, also the start of a pickle.
  if (start[8] === OPENING_BRACE && start[7] === 0 && start[6] === 0) return 'safetensors';
  if (PICKLE_STARTS.includes(start[0])) return 'pytorch-legacy';
  throw unsupported('neither a zip, a pickle nor safetensors');
}

function unsupported(what: string): WeightsError {
  return new WeightsError('unsupported-format', `The file is ${what}`, { next: SAVE_AS_STATE_DICT });
}
