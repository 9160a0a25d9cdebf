/**
 * Assembly → Volume in measured values. Each slice is decoded straight into its place in the one final array; a few
 * files are in flight at a time (their reading and inflating runs in libuv's threads), nothing else is kept.
 */
import { makeVolume, type Volume, voxelCount, type Watch } from '@isocenter/volume';
import type { Assembly } from './assemble.js';
import { SeriesError } from './errors.js';
import { fillVolume, wantsSharedMemory } from './fill.js';
import type { Finding } from './findings.js';
import { type ReferenceSeries, referenceFrom } from './reference.js';
import { seriesTitle } from './series.js';
import { suvFactor } from './suv.js';
import { allocate, BYTES_PER_VALUE, type Units, unitsOf, type VolumeArray, valueTypeFor } from './values.js';

export interface LoadOptions {
  /** PET: body-weight SUV instead of the stored units. Throws SeriesError `units` when it cannot be computed. */
  readonly suv?: 'bw';
  /** Value (in the volume's units) for voxels that the images mark as padding; kept as stored when absent. */
  readonly padding?: number;
  /** Files read at the same time. */
  readonly concurrency?: number;
  /** Refuse volumes that need more bytes than this. */
  readonly maxBytes?: number;
}

/** 1024 slices of 1024² as floats; more is a header that lies, or a case for an explicit option. */
export const DEFAULT_MAX_VOLUME_BYTES = 4 * 2 ** 30;

export interface LoadedSeries {
  readonly volume: Volume<VolumeArray>;
  readonly units: Units;
  readonly reference: ReferenceSeries;
  readonly findings: readonly Finding[];
}

/**
 * Reads and decodes all slices. The result depends on the images only: not on names, order or concurrency.
 * Throws SeriesError `unusable-series`, `too-large`, `changed-source`, `units`; DicomError for damaged pixels; what a
 * source throws; the abort reason of `watch.signal`.
 */
export async function loadVolume(assembly: Assembly, options: LoadOptions = {}, watch?: Watch): Promise<LoadedSeries> {
  const { grid, slices, series, findings } = assembly;
  if (!assembly.usable || !grid) {
    const refusal = findings.find((finding) => finding.severity === 'refusal');
    throw new SeriesError(
      'unusable-series',
      `${seriesTitle(series)} cannot be loaded: ${refusal?.message ?? 'it has no grid.'}`,
      {
        where: refusal?.where,
        next: refusal?.next,
      },
    );
  }
  const type = valueTypeFor(slices, options);
  const voxels = voxelCount(grid.size);
  const limit = options.maxBytes ?? DEFAULT_MAX_VOLUME_BYTES;
  const bytes = voxels * BYTES_PER_VALUE[type];
  if (bytes > limit)
    throw new SeriesError('too-large', `The volume would need ${bytes} bytes (limit ${limit}).`, {
      where: seriesTitle(series),
    });
  const fillOptions = {
    factor: options.suv ? suvFactor(slices) : 1,
    padding: options.padding,
    concurrency: options.concurrency,
  };
  const shared = wantsSharedMemory(slices);
  let data = allocate(type, voxels, shared);
  if (!(await fillVolume(data, slices, fillOptions, watch))) {
    data = allocate('float32', voxels, shared);
    await fillVolume(data, slices, fillOptions, watch);
  }
  return {
    volume: makeVolume(data, grid.size, grid.affine),
    units: options.suv ? 'SUVbw' : unitsOf(slices[0]),
    reference: referenceFrom(assembly),
    findings,
  };
}
