/** Which of a job's files belong to which output format, told by the endings that the engine's encoders give. */
import type { outputFormats } from '@isocenter/client';
import type { Job, ResultFile } from '../jobs/job.js';

export type OutputFormat = (typeof outputFormats)[number];

const LABELS = '.labels.json';
const NIFTI = '.nii.gz';

const endings: readonly (readonly [string, OutputFormat])[] = [
  ['.rtstruct.dcm', 'rtstruct'],
  ['.seg.dcm', 'seg'],
  ['.sr.dcm', 'sr'],
  ['.sc.dcm', 'sc'],
  [NIFTI, 'nifti'],
  [LABELS, 'nifti'],
  ['.nrrd', 'nrrd'],
  ['.png', 'png'],
  ['.csv', 'csv'],
  ['.u8.gz', 'masks'],
  ['.masks.json', 'masks'],
  ['predictions.json', 'json'],
];

function formatOf(name: string): OutputFormat | undefined {
  return endings.find(([ending]) => name.endsWith(ending))?.[1];
}

export function formatsMade({ files }: Job): OutputFormat[] {
  const made = new Set(files.map(({ name }) => formatOf(name)));
  return [...made].filter((format) => format !== undefined);
}

/** The files of a format. One label map comes alone: its table of names is among the files, and in the report. */
export function filesOf({ files }: Job, format: OutputFormat): ResultFile[] {
  const found = files.filter(({ name }) => formatOf(name) === format);
  const images = found.filter(({ name }) => !name.endsWith(LABELS));
  return images.length === 1 ? images : found;
}

/** The stored label maps, one file for each layer in order, and the table of their labels. */
export function storedLayers({
  files,
}: Job): { readonly layers: readonly ResultFile[]; readonly labels: ResultFile } | undefined {
  const labels = files.find(({ name }) => name.endsWith(LABELS));
  const layers = files.filter(({ name }) => name.endsWith(NIFTI));
  return labels && layers.length > 0 ? { layers, labels } : undefined;
}
