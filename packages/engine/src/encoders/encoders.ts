/** All output formats by name. */
import { csvEncoder } from './csv.js';
import { EncodeError, type Encoder, type OutputFormat } from './encoder.js';
import { masksEncoder } from './masks.js';
import { niftiEncoder } from './nifti.js';
import { nrrdEncoder } from './nrrd.js';
import { pngEncoder } from './png.js';
import { rtstructEncoder } from './rtstruct.js';
import { scEncoder } from './sc.js';
import { segEncoder } from './seg.js';
import { srEncoder } from './sr.js';

export const encoders: Readonly<Record<OutputFormat, Encoder>> = Object.freeze({
  rtstruct: rtstructEncoder,
  seg: segEncoder,
  nifti: niftiEncoder,
  nrrd: nrrdEncoder,
  png: pngEncoder,
  csv: csvEncoder,
  sr: srEncoder,
  sc: scEncoder,
  masks: masksEncoder,
});

/** Encoders of the named formats, each once, tables last (they repeat the proofs). Throws EncodeError `unknown-format`. */
export function encodersFor(formats: readonly string[]): Encoder[] {
  const wanted = [...new Set(formats)].map((format) => {
    if (Object.hasOwn(encoders, format)) return encoders[format as OutputFormat];
    throw new EncodeError('unknown-format', `There is no output format '${format.slice(0, 40)}'`, {
      next: `Known formats: ${Object.keys(encoders).join(', ')}.`,
    });
  });
  const proven = (encoder: Encoder) => (encoder.prove ? 0 : 1);
  return wanted.sort((a, b) => proven(a) - proven(b));
}
