/**
 * Holds an answer to the rules of specs/protocols.md 4.4, where upstream looked at nothing: what contradicts itself is told
 * to whoever wrote the handler and never sent.
 */
import { looksLikeDicom, parseDicom } from '@isocenter/dicom';
import { z } from 'zod';
import { ArterysError } from './arterys-error.js';
import { type AnswerPart, dicomTypes, type HandlerAnswer, maskTypes } from './handler.js';

const MOST_LABEL = 255;
const uid = z.string().regex(/^(?=.{1,64}$)\d+(\.\d+)*$/, 'a DICOM UID');
const finite = z.number();
const size = z.int().min(1).max(1_000_000);
const free = z.record(z.string(), z.unknown());
const corner = z.tuple([finite, finite]);
const point = z.array(finite).min(2).max(3);
const byte = z.int().min(0).max(255);

const shape3D = z.strictObject({ timepoints: size, depth: size, width: size, height: size });
const shape2D = z.strictObject({ width: size, height: size });
const part = z.looseObject({
  label: z.string(),
  binary_type: z.enum([...maskTypes, ...dicomTypes]),
  binary_data_shape: z.union([shape3D, shape2D]).optional(),
  SeriesInstanceUID: uid.optional(),
  dicom_image: z.looseObject({ SOPInstanceUID: uid, frame_number: z.int().min(0).optional() }).optional(),
  probability_threshold: z.number().min(0).max(1).optional(),
  palette: z.string().optional(),
  label_map: z.record(z.string().regex(/^\d{1,3}$/, 'digits'), z.string()).optional(),
  dicomConformance: z
    .looseObject({ recommended: z.array(z.looseObject({ description: z.string(), compliant: z.boolean() })) })
    .optional(),
});
const box = z
  .looseObject({ label: z.string(), SOPInstanceUID: uid, top_left: corner, bottom_right: corner })
  .refine(({ top_left: [x, y], bottom_right: [u, v] }) => x <= u && y <= v, 'top_left lies beyond bottom_right');
const ruler = z.looseObject({
  SOPInstanceUID: uid,
  frame_number: z.int().min(0).optional(),
  label: z.string(),
  coordinates_type: z.enum(['pixel', 'world']),
  start: point,
  end: point,
});
const palette = z.looseObject({
  type: z.literal('anchorpoints'),
  data: z
    .array(z.looseObject({ threshold: z.number().min(0).max(1), color: z.tuple([byte, byte, byte, byte]) }))
    .min(2)
    .refine((data) => data[0]?.threshold === 0 && data.at(-1)?.threshold === 1, 'thresholds go from 0 to 1')
    .refine((data) => data.every(({ threshold }, n) => n === 0 || threshold >= data[n - 1]!.threshold), 'they rise'),
});
const answerSchema = z.looseObject({
  protocol_version: z.literal('1.0'),
  parts: z.array(part),
  bounding_boxes_2d: z.array(box).optional(),
  linear_measurements_2d: z.array(ruler).optional(),
  study_ml_json: free.optional(),
  series_ml_json: z.record(uid, free).optional(),
  palettes: z.record(z.string(), palette).optional(),
});

export interface CheckedBody {
  readonly bytes: Uint8Array;
  readonly mediaType: 'application/binary' | 'application/dicom';
}

/** The bodies as bytes, without copies. Throws ArterysError `inconsistent-answer`. */
export function checkAnswer(answer: HandlerAnswer): readonly CheckedBody[] {
  if (typeof answer !== 'object' || answer === null || typeof answer.json !== 'object')
    throw inconsistent('A handler returns { json, parts }', 'answer');
  const parsed = answerSchema.safeParse(answer.json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw inconsistent(`The JSON breaks the protocol: ${issue?.message ?? 'unknown'}`, issue?.path.join('.') ?? 'json');
  }
  const { json, parts: bodies = [] } = answer;
  if (!Array.isArray(bodies)) throw inconsistent('parts is not an array', 'parts');
  if (bodies.length !== json.parts.length)
    throw inconsistent(`json.parts has ${json.parts.length} entries, parts has ${bodies.length} bodies`, 'parts');
  return json.parts.map((described, n) => {
    const bytes = bytesOf(bodies[n], `parts.${n}`);
    const dicom = (dicomTypes as readonly string[]).includes(described.binary_type);
    if (dicom) checkDicom(bytes, `parts.${n}`);
    else checkMask(described, bytes, Object.keys(json.palettes ?? {}), `parts.${n}`);
    return { bytes, mediaType: dicom ? 'application/dicom' : 'application/binary' };
  });
}

function bytesOf(body: unknown, where: string): Uint8Array {
  if (body instanceof ArrayBuffer || body instanceof SharedArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body) && 'BYTES_PER_ELEMENT' in body && body.BYTES_PER_ELEMENT === 1)
    if (!(body instanceof Int8Array)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  throw inconsistent('A body is not of unsigned bytes (Uint8Array)', where);
}

function checkMask(described: AnswerPart, bytes: Uint8Array, palettes: readonly string[], where: string): void {
  const { binary_type, binary_data_shape: shape, dicom_image, label_map } = described;
  if (!shape) throw inconsistent('A mask needs binary_data_shape', where);
  const is3D = 'depth' in shape;
  if (!is3D && !dicom_image) throw inconsistent('A 2-D mask needs dicom_image', where);
  const voxels = shape.width * shape.height * (is3D ? shape.depth * shape.timepoints : 1);
  if (bytes.length !== voxels)
    throw inconsistent(`The mask has ${bytes.length} bytes, its shape has ${voxels} voxels`, where);
  if (described.palette !== undefined && !palettes.includes(described.palette))
    throw inconsistent('The palette of the part is not in palettes', where);
  if (binary_type !== 'numeric_label_mask') return;
  if (!label_map || Object.keys(label_map).length === 0) throw inconsistent('A label mask needs label_map', where);
  const names = Object.values(label_map);
  if (new Set(names).size !== names.length) throw inconsistent('Two labels have the same name', `${where}.label_map`);
  const largestKey = Math.max(...Object.keys(label_map).map(Number));
  if (largestKey > MOST_LABEL) throw inconsistent('A label above 255 fits no byte', `${where}.label_map`);
  const largest = largestOf(bytes);
  if (largest > largestKey)
    throw inconsistent(`The mask has the value ${largest}, the largest label is ${largestKey}`, where);
}

function largestOf(bytes: Uint8Array): number {
  let largest = 0;
  for (let n = 0; n < bytes.length; n++) if (bytes[n]! > largest) largest = bytes[n]!;
  return largest;
}

function checkDicom(bytes: Uint8Array, where: string): void {
  const prefixed =
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', 128, 132) === 'DICM';
  try {
    if (prefixed && looksLikeDicom(bytes) && parseDicom(bytes, { untilPixelData: true }).dataset.has('SOPClassUID'))
      return;
  } catch (cause) {
    throw inconsistent('A DICOM part cannot be read as DICOM', where, cause);
  }
  throw inconsistent('A DICOM part is no DICOM file (PS3.10)', where);
}

function inconsistent(message: string, where: string, cause?: unknown): ArterysError {
  return new ArterysError('inconsistent-answer', message, {
    where,
    next: "The rules are in docs/how-to/arterys.md, 'What an answer looks like'.",
    cause,
  });
}
