/** For tests of the command line: a small synthetic study, and everything that can be wrong with one. */
import { type Dataset, parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom, type PhantomOptions } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';

/** A patient's name, in the data sets and in the names of files, that no output may show. */
export const PLANTED = 'PLANTED^NAME';

export interface StudyFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Change to the data set of the image with this index. */
export type Edit = (dataset: Dataset, index: number) => unknown;

/** A thorax in few large voxels, of a patient whose name is planted everywhere. */
export async function study(options: PhantomOptions = {}): Promise<StudyFile[]> {
  const { files } = await makePhantom({ size: [64, 64, 8], spacing: [6, 6, 30], ...options });
  return edited(
    files.map(({ bytes }, k) => ({ name: `${PLANTED}/${PLANTED}-${k}.dcm`, bytes })),
    (dataset) => dataset.set('PatientName', PLANTED),
  );
}

export function edited(files: readonly StudyFile[], edit: Edit): StudyFile[] {
  return files.map(({ name, bytes }, index) => {
    const file = parseDicom(bytes);
    edit(file.dataset, index);
    return { name, bytes: writeDicom(file.dataset, { transferSyntaxUID: file.transferSyntaxUID }) };
  });
}

/** Pixel values of an image as 16-bit words. */
export function pixels(dataset: Dataset): Uint16Array {
  const bytes = dataset.bytes('PixelData');
  if (!bytes) throw new Error('The image has no native pixel data');
  return new Uint16Array(new Uint8Array(bytes).buffer);
}

export const zip = (files: readonly StudyFile[]): Promise<Buffer> => writeZip(files);

/** The bytes with the first place where `from` stands replaced by `to`, of the same length. */
export function patched(bytes: Uint8Array, from: Uint8Array, to: Uint8Array, all = false): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) {
    Buffer.from(to).copy(copy, at);
    if (!all) break;
  }
  return copy;
}
