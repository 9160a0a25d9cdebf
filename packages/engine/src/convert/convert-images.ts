/** Images to NIfTI or NRRD: a DICOM series, or an image that is already one of the two. */
import { chooseSeries, loadVolume, scanSources } from '@isocenter/dicom';
import { isNrrd, openSources, readNifti, readNrrd, safeFileName, writeNifti, writeNrrd } from '@isocenter/formats';
import type { Volume } from '@isocenter/volume';
import { isMaskImage } from '../structures/mask-images.js';
import { seriesWish } from '../structures/open-reference.js';
import { StructuresError } from '../structures/structures-error.js';
import type { Conversion, ConvertOptions } from './convert.js';

/** One file per image; a 4-D image stays one file. */
export async function convertImages(input: string, options: ConvertOptions): Promise<Conversion> {
  if (options.format === 'rtstruct' || options.format === 'seg')
    throw new StructuresError(
      'no-structures',
      `The input is an image, which cannot become ${options.format.toUpperCase()}`,
      {
        next: 'Give masks (NIfTI, NRRD), an RTSTRUCT or a SEG; `isocenter segment` makes structures from images.',
      },
    );
  const opened = await openSources(input);
  try {
    const flags = options.images ? [] : await Promise.all(opened.sources.map(isMaskImage));
    const images = opened.sources.filter((_, n) => flags[n]);
    if (images.length === 0) {
      const { assembly, reasons } = chooseSeries(await scanSources(opened.sources, options), {
        ...(options.series === undefined ? {} : seriesWish(options.series)),
        assemble: { irregular: options.irregular },
      });
      const { volume, units, findings } = await loadVolume(assembly, {}, options);
      const name = safeFileName(`${assembly.series.Modality || 'image'}_series_${assembly.series.number}`);
      return {
        files: [await encode(name, [volume], options.format)],
        notes: [...reasons, `Values are ${units}.`, ...findings.map(({ message }) => message)],
      };
    }
    const taken = new Set<string>();
    const files: Conversion['files'][number][] = [];
    const notes: string[] = [];
    for (const source of images) {
      options.signal?.throwIfAborted();
      const bytes = await source.read();
      const image = isNrrd(bytes) ? await readNrrd(bytes) : await readNifti(bytes);
      const base = source.name
        .split(/[\\/]/)
        .at(-1)!
        .replace(/\.(nii\.gz|nii|nrrd|gz)$/i, '');
      files.push(await encode(safeFileName(base, taken), image.channels, options.format));
      notes.push(...image.notes);
    }
    return { files, notes };
  } finally {
    await opened.close();
  }
}

async function encode(
  name: string,
  channels: readonly Volume[],
  format: 'nifti' | 'nrrd' | 'rtstruct' | 'seg',
): Promise<{ name: string; bytes: Uint8Array }> {
  if (format === 'nrrd') return { name: `${name}.nrrd`, bytes: await writeNrrd(channels) };
  return { name: `${name}.nii.gz`, bytes: await writeNifti(channels) };
}
