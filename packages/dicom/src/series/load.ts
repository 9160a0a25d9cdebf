/**
 * Assembly → Volume in measured values. Each slice is decoded straight into its place in the one final array; a few
 * files are in flight at a time (their reading and inflating runs in libuv's threads), nothing else is kept.
 */
import { makeVolume, type Volume, voxelCount, type Watch } from '@isocenter/volume';
import { type DicomFile, parseDicom } from '../dataset/parse.js';
import { decodeFrameInto } from '../pixel/decode.js';
import type { Assembly } from './assemble.js';
import { SeriesError } from './errors.js';
import type { Finding } from './findings.js';
import type { Frame, Instance } from './frame.js';
import { type ReferenceSeries, referenceFrom } from './reference.js';
import { type Padding, paddingOf, rescaleInto, type StoredArray } from './rescale.js';
import { seriesTitle } from './series.js';
import { forEachConcurrently, READS_IN_FLIGHT } from './source.js';
import { suvFactor } from './suv.js';
import {
  allocate,
  BYTES_PER_VALUE,
  IDENTITY_RESCALE,
  isIdentity,
  type Units,
  unitsOf,
  type VolumeArray,
  valueTypeFor,
} from './values.js';

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
  const factor = options.suv ? suvFactor(slices) : 1;
  const type = options.suv || !fitsIntegers(options) ? 'float32' : valueTypeFor(slices);
  const voxels = voxelCount(grid.size);
  const limit = options.maxBytes ?? DEFAULT_MAX_VOLUME_BYTES;
  if (voxels * BYTES_PER_VALUE[type] > limit)
    throw new SeriesError(
      'too-large',
      `The volume would need ${voxels * BYTES_PER_VALUE[type]} bytes (limit ${limit}).`,
      {
        where: seriesTitle(series),
      },
    );
  const loader = new Loader(slices, factor, options, watch);
  let data = allocate(type, voxels);
  if (!(await loader.fill(data))) {
    data = allocate('float32', voxels);
    await loader.fill(data);
  }
  return {
    volume: makeVolume(data, grid.size, grid.affine),
    units: options.suv ? 'SUVbw' : unitsOf(slices[0]),
    reference: referenceFrom(assembly),
    findings,
  };
}

function fitsIntegers({ padding }: LoadOptions): boolean {
  return padding === undefined || Number.isInteger(padding);
}

class Overflow extends Error {}

class Loader {
  readonly #byInstance = new Map<Instance, number[]>();
  readonly #slices: readonly Frame[];
  readonly #factor: number;
  readonly #options: LoadOptions;
  readonly #watch: Watch | undefined;
  /** Buffers that wait for the next file, at most one per file in flight. */
  readonly #idle: ArrayBuffer[] = [];

  constructor(slices: readonly Frame[], factor: number, options: LoadOptions, watch: Watch | undefined) {
    this.#slices = slices;
    this.#factor = factor;
    this.#options = options;
    this.#watch = watch;
    slices.forEach((slice, k) => {
      const ks = this.#byInstance.get(slice.instance);
      if (ks) ks.push(k);
      else this.#byInstance.set(slice.instance, [k]);
    });
  }

  /** False when the values do not fit the array. */
  async fill(data: VolumeArray): Promise<boolean> {
    const jobs = [...this.#byInstance];
    const work = ([instance, ks]: (typeof jobs)[number]) => this.#fillFrom(instance, ks, data);
    try {
      await forEachConcurrently(
        jobs,
        this.#options.concurrency ?? READS_IN_FLIGHT,
        work,
        this.#watch,
        'loading images',
      );
      return true;
    } catch (error) {
      if (error instanceof Overflow) return false;
      throw error;
    }
  }

  async #fillFrom(instance: Instance, ks: readonly number[], data: VolumeArray): Promise<void> {
    const file = parseDicom(await instance.source.read());
    if (file.dataset.number('Rows') !== instance.rows || file.dataset.number('Columns') !== instance.columns)
      throw new SeriesError('changed-source', 'A file is no longer the image that was scanned.', {
        where: instance.source.name,
        next: 'Scan the input again.',
      });
    const { padding } = this.#options;
    const { header, bitsAllocated, signed } = instance;
    const filler = padding === undefined ? undefined : paddingOf(header, bitsAllocated, signed, padding);
    const sheet = this.#slices[ks[0]].tile ? await this.#decodeSheet(file, instance) : undefined;
    for (const k of ks) {
      const slice = this.#slices[k];
      const size = slice.rows * slice.columns;
      const slot = data.subarray(k * size, (k + 1) * size);
      if (sheet) this.#store(takeTile(sheet, slice), slot, slice, filler);
      else await this.#fillSlot(file, slice, slot, filler);
    }
    if (sheet) this.#giveBack(sheet);
  }

  async #decodeSheet(file: DicomFile, instance: Instance): Promise<StoredArray> {
    const sheet = this.#borrow(instance);
    await decodeFrameInto(file, 0, sheet, 0);
    return sheet;
  }

  async #fillSlot(file: DicomFile, slice: Frame, slot: VolumeArray, padding: Padding | undefined): Promise<void> {
    const over = storedOver(slot, slice.instance);
    const values = over ?? this.#borrow(slice.instance);
    await decodeFrameInto(file, slice.index, values, 0);
    this.#store(values, slot, slice, padding);
    if (!over) this.#giveBack(values);
  }

  #store(values: StoredArray, slot: VolumeArray, slice: Frame, padding: Padding | undefined): void {
    const { slope, intercept } = slice.rescale ?? IDENTITY_RESCALE;
    const rescale = { slope: slope * this.#factor, intercept: intercept * this.#factor };
    const inPlace = values.buffer === slot.buffer && values.constructor === slot.constructor;
    if (inPlace && isIdentity(rescale) && !padding) return;
    if (!rescaleInto(values, slot, rescale, padding)) throw new Overflow();
  }

  #giveBack(values: StoredArray): void {
    this.#idle.push(values.buffer as ArrayBuffer);
  }

  #borrow(instance: Instance): StoredArray {
    const length = instance.rows * instance.columns;
    const bytes = length * storedBytes(instance);
    let buffer = this.#idle.pop();
    if (!buffer || buffer.byteLength < bytes) buffer = new ArrayBuffer(bytes);
    return storedView(instance, buffer, 0, length);
  }
}

function storedBytes({ bitsAllocated, signed }: Instance): 1 | 2 | 4 {
  if (bitsAllocated > 16) return 4;
  return bitsAllocated > 8 || signed ? 2 : 1;
}

function storedView(instance: Instance, buffer: ArrayBufferLike, offset: number, length: number): StoredArray {
  const { signed } = instance;
  switch (storedBytes(instance)) {
    case 1:
      return new Uint8Array(buffer, offset, length);
    case 2:
      return signed ? new Int16Array(buffer, offset, length) : new Uint16Array(buffer, offset, length);
    case 4:
      return signed ? new Int32Array(buffer, offset, length) : new Uint32Array(buffer, offset, length);
  }
}

/** The slot seen as stored values, where both have the same width: no other buffer and no copy is needed then. */
function storedOver(slot: VolumeArray, instance: Instance): StoredArray | undefined {
  if (slot.BYTES_PER_ELEMENT !== storedBytes(instance) || slot instanceof Float32Array) return undefined;
  return storedView(instance, slot.buffer, slot.byteOffset, slot.length);
}

/** Rows of one tile in an array of their own. */
function takeTile(sheet: StoredArray, { tile, rows, columns, instance }: Frame): StoredArray {
  const out = sheet.slice(0, rows * columns);
  const { row, column } = tile as NonNullable<Frame['tile']>;
  for (let r = 0; r < rows; r++) {
    const from = (row + r) * instance.columns + column;
    out.set(sheet.subarray(from, from + columns), r * columns);
  }
  return out;
}
