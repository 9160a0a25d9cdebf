/** Fills the final array: reads, decodes and rescales slice by slice, each in its own place. */
import type { Watch } from '@isocenter/volume';
import { type DicomFile, parseDicom } from '../dataset/parse.js';
import { decodeFrameInto } from '../pixel/decode.js';
import { type DecodeJob, decodeInstancesParallel } from '../pixel/decode-pool.js';
import { supportedTransferSyntaxes } from '../pixel/supported.js';
import { SeriesError } from './errors.js';
import { imagesByNumber } from './findings.js';
import type { Frame, Instance } from './frame.js';
import { type Padding, paddingOf, rescaleInto, type StoredArray } from './rescale.js';
import { slotOf, storedBytes, storedInSlot, storedView, takeTile } from './slots.js';
import { forEachConcurrently, READS_IN_FLIGHT } from './source.js';
import { IDENTITY_RESCALE, isIdentity, type VolumeArray } from './values.js';

export interface FillOptions {
  /** Multiplies every rescaled value (SUV). */
  readonly factor: number;
  readonly padding: number | undefined;
  readonly concurrency: number | undefined;
}

const STEP = 'loading images';
/** Fewer compressed slices than this are decoded before worker threads would have started. */
const WORTH_THREADS = 4;

/** Whether worker threads will decode these slices: the final array must then be shared memory. */
export function wantsSharedMemory(slices: readonly Frame[]): boolean {
  const single = slices.every((slice) => slice.instance.frames === 1 && !slice.tile);
  return single && slices.some(costly) && slices.length >= WORTH_THREADS;
}

/** False when the values do not fit the array (see valueTypeFor). Throws what sources and decoders throw. */
export async function fillVolume(
  data: VolumeArray,
  slices: readonly Frame[],
  options: FillOptions,
  watch?: Watch,
): Promise<boolean> {
  const shared = data.buffer instanceof SharedArrayBuffer;
  try {
    if (shared) await fillByThreads(data, slices, options, watch);
    else await fillHere(data, slices, options, watch);
    return true;
  } catch (error) {
    if (error instanceof Overflow) return false;
    throw error;
  }
}

class Overflow extends Error {}

async function fillHere(data: VolumeArray, slices: readonly Frame[], options: FillOptions, watch?: Watch) {
  const byInstance = new Map<Instance, number[]>();
  slices.forEach(({ instance }, k) => {
    const ks = byInstance.get(instance);
    if (ks) ks.push(k);
    else byInstance.set(instance, [k]);
  });
  const fillFrom = async ([instance, ks]: readonly [Instance, readonly number[]]) => {
    const file = checked(parseDicom(await instance.source.read()), instance);
    const sheet = slices[ks[0]].tile ? await decodeSheet(file, instance) : undefined;
    for (const k of ks) {
      const slot = slotOf(data, slices[k], k);
      const stored = sheet ? takeTile(sheet, slices[k]) : storedInSlot(slot, instance);
      if (!sheet) await decodeFrameInto(file, slices[k].index, stored, 0);
      finish(stored, slot, slices[k], options);
    }
  };
  await forEachConcurrently([...byInstance], options.concurrency ?? READS_IN_FLIGHT, fillFrom, watch, STEP);
}

async function decodeSheet(file: DicomFile, instance: Instance): Promise<StoredArray> {
  const length = instance.rows * instance.columns;
  const sheet = storedView(instance, new ArrayBuffer(length * storedBytes(instance)), 0, length);
  await decodeFrameInto(file, 0, sheet, 0);
  return sheet;
}

async function fillByThreads(data: VolumeArray, slices: readonly Frame[], options: FillOptions, watch?: Watch) {
  const jobs = slices.map((slice, k): DecodeJob => {
    const { instance } = slice;
    const read = async () => {
      const bytes = await instance.source.read();
      checked(parseDicom(bytes, { untilPixelData: true }), instance);
      return bytes;
    };
    return { read, target: storedInSlot(slotOf(data, slice, k), instance), offset: 0 };
  });
  await decodeInstancesParallel(jobs, {
    transferSyntaxUID: slices.find(costly)?.instance.transferSyntaxUID,
    threads: options.concurrency,
    signal: watch?.signal,
    onDone: (done) => watch?.progress?.(done, jobs.length, STEP),
  });
  slices.forEach((slice, k) => {
    const slot = slotOf(data, slice, k);
    finish(storedInSlot(slot, slice.instance), slot, slice, options);
  });
}

function costly(slice: Frame): boolean {
  return supportedTransferSyntaxes.get(slice.instance.transferSyntaxUID)?.costly ?? false;
}

function checked(file: DicomFile, instance: Instance): DicomFile {
  if (file.dataset.number('Rows') !== instance.rows || file.dataset.number('Columns') !== instance.columns)
    throw new SeriesError('changed-source', 'A file is no longer the image that was scanned.', {
      where: imagesByNumber([instance]),
      next: 'Scan the input again.',
    });
  return file;
}

/** Stored → measured values. */
function finish(stored: StoredArray, slot: VolumeArray, slice: Frame, { factor, padding }: FillOptions): void {
  const { header, bitsAllocated, signed } = slice.instance;
  const { slope, intercept } = slice.rescale ?? IDENTITY_RESCALE;
  const rescale = { slope: slope * factor, intercept: intercept * factor };
  const filler: Padding | undefined =
    padding === undefined ? undefined : paddingOf(header, bitsAllocated, signed, padding);
  const inPlace = stored.buffer === slot.buffer && stored.constructor === slot.constructor;
  if (inPlace && isIdentity(rescale) && !filler) return;
  if (!rescaleInto(stored, slot, rescale, filler)) throw new Overflow();
}
