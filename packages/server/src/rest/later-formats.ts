/** Formats that were not asked for, made from what is stored: no image is needed, and none is there any more. */

import { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { writeCsv } from '@isocenter/formats';
import type { SegmentedStructure } from '@isocenter/volume';
import { z } from 'zod';
import type { FileAnswer } from '../http/call.js';
import type { Job } from '../jobs/job.js';
import type { Services } from '../services/services.js';
import { RestError } from './rest-error.js';
import { storedLayers } from './result-formats.js';
import { TemporaryFile } from './temporary-file.js';

const byte = z.int().min(0).max(255);
/** What engine's NIfTI encoder writes beside the label maps. */
const labelTable = z.object({
  labels: z.array(
    z.object({ file: z.string(), label: z.int(), name: z.string(), colour: z.tuple([byte, byte, byte]) }),
  ),
});

const report = z.object({
  input: z.object({ channels: z.array(z.object({ units: z.string().optional() })) }).optional(),
  structures: z.array(
    z.object({
      name: z.string(),
      label: z.int(),
      layer: z.int(),
      voxels: z.int(),
      ml: z.number(),
      contours: z.int(),
      mean: z.number().optional(),
      proof: z.string(),
    }),
  ),
});

type Parts = Pick<Services, 'blobs' | 'chores' | 'registry' | 'temporaryFolder'>;

/** 3D Slicer's .seg.nrrd, made and proven in a child process. Throws RestError `needs-images`, ChoresError, FormatError. */
export async function nrrdLater(parts: Parts, job: Job, signal: AbortSignal): Promise<FileAnswer> {
  const { chores, temporaryFolder } = parts;
  const output = new TemporaryFile(temporaryFolder);
  await withLayers(parts, job, signal, async (layerPaths, structures) => {
    await chores.run({ kind: 'slicer-segmentation', layerPaths, structures, outputPath: output.path }, signal);
  });
  return output.answer({ mediaType: 'application/octet-stream', fileName: `${job.id}.seg.nrrd` });
}

/** The stored label maps as files on this machine for as long as `work` runs. Throws RestError `needs-images`. */
export async function withLayers<T>(
  { blobs, registry }: Pick<Parts, 'blobs' | 'registry'>,
  job: Job,
  signal: AbortSignal,
  work: (layerPaths: readonly string[], structures: readonly SegmentedStructure[]) => Promise<T>,
): Promise<T> {
  const stored = storedLayers(job);
  if (!stored) throw needsImages('nrrd');
  const { stream } = await blobs.open(stored.labels.blobId);
  const { labels } = labelTable.parse(JSON.parse(await readText(stream)));
  const version = job.modelVersionId === undefined ? undefined : await registry.version(job.modelVersionId);
  const structures = labels.map(({ file, label, name, colour }): SegmentedStructure => {
    const known = version?.structures.find((one) => one.name === name);
    return {
      name,
      label,
      colour,
      layer: stored.layers.findIndex((layer) => layer.name === file),
      interpretedType: known?.interpretedType ?? '',
      ...(known?.code ? { code: known.code } : {}),
    };
  });
  const open: { readonly path: string; done(): Promise<void> }[] = [];
  try {
    for (const { blobId } of stored.layers) open.push(await blobs.toFile(blobId, signal));
    return await work(
      open.map(({ path }) => path),
      structures,
    );
  } finally {
    for (const file of open) await file.done();
  }
}

/** The table of volumes from the report: the same lines as engine's encoder writes. Throws RestError `needs-images`. */
export function csvLater(job: Job): FileAnswer {
  const read = report.safeParse(job.report);
  if (!read.success) throw needsImages('csv');
  const { input, structures } = read.data;
  const units = input?.channels[0]?.units ?? 'value';
  const heading = ['structure', 'label', 'layer', 'voxels', 'volume_ml', 'contours', `mean_${units}`, 'proof'];
  const lines = structures.map(({ name, label, layer, voxels, ml, contours, mean, proof }) => [
    name,
    label,
    layer,
    voxels,
    Number(ml.toFixed(3)),
    contours,
    mean === undefined ? undefined : Number(mean.toFixed(2)),
    proof,
  ]);
  const bytes = Buffer.from(writeCsv([heading, ...lines]));
  return {
    mediaType: 'text/csv',
    fileName: `${job.id}.volumes.csv`,
    bytes: bytes.length,
    open: async (range) => Readable.from([range ? bytes.subarray(range.first, range.last + 1) : bytes]),
  };
}

export function needsImages(format: string): RestError {
  return new RestError('needs-images', `This job made no ${format}, and that format needs the images, which are gone`, {
    where: 'format',
    next: `Send the study again with formats=${format}.`,
  });
}
