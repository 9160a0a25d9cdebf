/**
 * The masks that a model left in a folder, as an Arterys answer. Slice s of a mask is the s-th image of the series in the
 * order of the request, whatever way the patient lies in it: the engine's slices are told by their SOPInstanceUID.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ArterysError } from './arterys-error.js';
import type { AnswerJson, AnswerPart, BoundingBox, HandlerAnswer } from './handler.js';
import type { Json } from './json-text.js';
import type { Output } from './outputs.js';

const inflate = promisify(gunzip) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

export interface MaskTask {
  readonly folder: string;
  readonly files: readonly string[];
  readonly output: Output;
  /** `name:version`. */
  readonly model: string;
  /** SOPInstanceUID of the series' images in the order of the request, each as often as it came. */
  readonly sent: readonly string[];
  readonly SeriesInstanceUID: string;
  readonly structures: readonly { readonly name: string; readonly voxels: number; readonly ml: number }[];
}

/** What encoders/masks.ts of the engine writes. */
interface MaskTable {
  readonly size: readonly [number, number, number];
  readonly slices: readonly { readonly SOPInstanceUID: string; readonly frameNumber?: number }[];
  readonly structures: readonly { readonly file: string; readonly name: string }[];
}

interface Placed {
  readonly size: readonly [number, number, number];
  /** Slices of the engine in the order of the request, each once. */
  readonly order: readonly number[];
  /** Images that were sent and are none of the engine's slices. */
  readonly leftOut: number;
  readonly sent: readonly string[];
  readonly slices: MaskTable['slices'];
  readonly structures: MaskTable['structures'];
  readonly folder: string;
}

const INSIDE = 255;
const MOST_LABELS = 255;
/** Of all masks of an answer, which lie in memory together. */
const MOST_BYTES = 2 ** 31;

export async function masksToAnswer(task: MaskTask): Promise<HandlerAnswer> {
  switch (task.output) {
    case 'probability-mask':
    case 'boolean-mask':
      return maskPerStructure(task, await place(task));
    case 'label-mask':
      return labelMask(task, await place(task));
    case 'bounding-box-2d':
      return answerOf(task, { bounding_boxes_2d: await boxes(await place(task)) });
    case 'findings':
      return answerOf(task, {});
    case 'secondary-capture':
      return dicomFiles(task, 'dicom_secondary_capture');
    case 'structured-report':
      return dicomFiles(task, 'dicom_structured_report');
    case 'segmentation':
      return dicomFiles(task, 'dicom');
  }
}

async function place({ folder, files, sent }: MaskTask): Promise<Placed> {
  const name = files.find((file) => file.endsWith('.masks.json'));
  if (name === undefined) throw new TypeError('The model wrote no masks');
  const table = JSON.parse(await readFile(join(folder, name), 'utf8')) as MaskTable;
  const rank = new Map(sent.map((uid, n) => [uid, n]));
  const order = sliceOrder(table.slices, rank);
  const used = new Set(table.slices.map(({ SOPInstanceUID }) => SOPInstanceUID));
  const leftOut = sent.filter((uid) => !used.has(uid)).length;
  return { folder, order, leftOut, sent, size: table.size, slices: table.slices, structures: table.structures };
}

/**
 * Position in the answer → slice of the engine: one for each image that was sent, also for one that was sent twice, because
 * clients count. Throws ArterysError `left-out` when an image has none.
 */
function positionsOf({ order, slices, sent, leftOut }: Placed): readonly number[] {
  if (leftOut > 0)
    throw new ArterysError('left-out', `${leftOut} of the ${sent.length} images of the series belong to no volume`, {
      next: 'Send the series without localisers, copies under other names and derived images, or ask for boxes or findings.',
    });
  const byImage = new Map<string, number[]>();
  for (const k of order) {
    const uid = slices[k]!.SOPInstanceUID;
    byImage.set(uid, [...(byImage.get(uid) ?? []), k]);
  }
  return sent.flatMap((uid) => byImage.get(uid)!);
}

/** Slices of the engine in the order of the request; frames of one image in their own. */
export function sliceOrder(slices: MaskTable['slices'], rank: ReadonlyMap<string, number>): readonly number[] {
  const rankOf = (k: number) => rank.get(slices[k]!.SOPInstanceUID) ?? Number.POSITIVE_INFINITY;
  return slices
    .map((_, k) => k)
    .sort((a, b) => Math.sign(rankOf(a) - rankOf(b)) || (slices[a]!.frameNumber ?? 0) - (slices[b]!.frameNumber ?? 0));
}

async function maskPerStructure(task: MaskTask, placed: Placed): Promise<HandlerAnswer> {
  const binary_type = task.output === 'boolean-mask' ? 'boolean_mask' : 'probability_mask';
  const parts: Uint8Array[] = [];
  const positions = positionsOf(placed);
  const bytes = placed.size[0] * placed.size[1] * positions.length * placed.structures.length;
  if (bytes > MOST_BYTES)
    throw new ArterysError('answer-too-large', `${placed.structures.length} masks of this series are ${bytes} bytes`, {
      next: `At most ${MOST_BYTES} go into one answer: ask for one label mask (get-label-mask).`,
    });
  for (const { file } of placed.structures) {
    const mask = emptyMask(placed.size, positions.length);
    await paint(placed, positions, file, mask, INSIDE);
    parts.push(mask);
  }
  const described = placed.structures.map(
    ({ name }) => ({ ...partOf(name, placed, positions.length, task), binary_type }) as AnswerPart,
  );
  return answerOf(task, {}, described, parts);
}

async function labelMask(task: MaskTask, placed: Placed): Promise<HandlerAnswer> {
  const structures = placed.structures.slice(0, MOST_LABELS);
  const positions = positionsOf(placed);
  const mask = emptyMask(placed.size, positions.length);
  const label_map: Record<string, string> = {};
  for (const [n, { name, file }] of structures.entries()) {
    await paint(placed, positions, file, mask, n + 1);
    const taken = Object.values(label_map).includes(name);
    label_map[n + 1] = taken ? `${name} (${n + 1})` : name;
  }
  if (structures.length === 0) return answerOf(task, {});
  const part = {
    ...partOf(task.model, placed, positions.length, task),
    binary_type: 'numeric_label_mask',
    label_map,
  } as const;
  return answerOf(task, {}, [part], [mask]);
}

async function boxes(placed: Placed): Promise<BoundingBox[]> {
  const [columns, rows] = placed.size;
  const found: BoundingBox[] = [];
  for (const { name, file } of placed.structures) {
    const mask = await readMask(placed, file);
    for (const k of placed.order) {
      const box = boxOf(mask.subarray(k * columns * rows, (k + 1) * columns * rows), columns);
      if (box) found.push({ label: name, SOPInstanceUID: placed.slices[k]!.SOPInstanceUID, ...box });
    }
  }
  return found;
}

/** Corners are the outermost pixels inside; undefined when none is. */
export function boxOf(slice: Uint8Array, columns: number): Pick<BoundingBox, 'top_left' | 'bottom_right'> | undefined {
  const first = slice.indexOf(1);
  if (first < 0) return undefined;
  const top = Math.floor(first / columns);
  const bottom = Math.floor(slice.lastIndexOf(1) / columns);
  let left = columns;
  let right = -1;
  for (let row = top; row <= bottom; row++) {
    const line = slice.subarray(row * columns, (row + 1) * columns);
    const start = line.indexOf(1);
    if (start < 0) continue;
    left = Math.min(left, start);
    right = Math.max(right, line.lastIndexOf(1));
  }
  return { top_left: [left, top], bottom_right: [right, bottom] };
}

async function dicomFiles(
  task: MaskTask,
  binary_type: 'dicom' | 'dicom_secondary_capture' | 'dicom_structured_report',
): Promise<HandlerAnswer> {
  const names = task.files.filter((file) => file.endsWith('.dcm'));
  const parts = await Promise.all(names.map((name) => readFile(join(task.folder, name))));
  const described = names.map(() => ({ label: task.model, binary_type, SeriesInstanceUID: task.SeriesInstanceUID }));
  return answerOf(task, {}, described, parts);
}

function answerOf(
  { model, structures }: MaskTask,
  more: Partial<AnswerJson>,
  described: readonly AnswerPart[] = [],
  parts: readonly Uint8Array[] = [],
): HandlerAnswer {
  const findings = structures.map(({ name, ml, voxels }) => ({
    structure: name,
    volume_ml: Math.round(ml * 100) / 100,
    voxels,
  }));
  const study_ml_json: Record<string, Json> = { model, structures: findings };
  return { json: { protocol_version: '1.0', parts: described, ...more, study_ml_json }, parts };
}

function partOf(label: string, { size }: Placed, depth: number, { SeriesInstanceUID }: MaskTask) {
  const [width, height] = size;
  return { label, binary_data_shape: { timepoints: 1, depth, width, height }, SeriesInstanceUID };
}

function emptyMask([columns, rows]: Placed['size'], slices: number): Uint8Array {
  return new Uint8Array(columns * rows * slices);
}

async function readMask({ folder, size }: Placed, file: string): Promise<Buffer> {
  const [columns, rows, slices] = size;
  const voxels = columns * rows * slices;
  const mask = await inflate(await readFile(join(folder, file)), { maxOutputLength: voxels + 1 });
  if (mask.length !== voxels) throw new TypeError(`A mask of ${mask.length} voxels in place of ${voxels}`);
  return mask;
}

/** Sets the voxels of a structure to `value`, slices in the order of the request. */
async function paint(
  placed: Placed,
  positions: readonly number[],
  file: string,
  into: Uint8Array,
  value: number,
): Promise<void> {
  const [columns, rows] = placed.size;
  const area = columns * rows;
  const mask = await readMask(placed, file);
  for (const [s, k] of positions.entries()) {
    const from = k * area;
    // Most slices of most structures are empty.
    if (!mask.subarray(from, from + area).includes(1)) continue;
    const to = s * area;
    for (let n = 0; n < area; n++) if (mask[from + n] === 1) into[to + n] = value;
  }
}
