/** Headers of every file of a folder, without pixel data. Arguments: folder, repeats. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseDicom } from '@isocenter/dicom';
import { measured } from './measured.js';

const [folder, repeats] = process.argv.slice(2);
/** As `scanSources` begins; a longer header would be read again in larger parts. */
const PREFIX_BYTES = 8 << 10;

await measured(
  () => {
    let positions = 0;
    const buffer = Buffer.alloc(PREFIX_BYTES);
    for (const name of readdirSync(folder).sort()) {
      const file = openSync(join(folder, name), 'r');
      const count = readSync(file, buffer, 0, PREFIX_BYTES, 0);
      closeSync(file);
      const { dataset } = parseDicom(buffer.subarray(0, count), { untilPixelData: true, partial: true });
      positions += dataset.numbers('ImagePositionPatient')[2] + (dataset.number('Rows') ?? 0);
    }
    return Math.round(positions * 1000) / 1000;
  },
  { repeats: Number(repeats) },
);
