/** Every rule of specs/protocols.md 4.4, each with an answer that breaks it and one that does not. */
import { makePhantom } from '@isocenter/engine';
import { describe, expect, it } from 'vitest';
import { ask, readAnswer, requestBody } from './arterys.suite.js';
import { checkAnswer } from './check-answer.js';
import type { HandlerAnswer } from './handler.js';
import { jsonText } from './json-text.js';
import { serveHandlers } from './stand-alone.js';

const UID = '1.2.840.1';
const shape = { timepoints: 1, depth: 2, width: 3, height: 2 };
const mask = new Uint8Array(12);
// biome-ignore lint/suspicious/noExplicitAny: wrong answers are what this is about.
type Any = any;

const answer = (part: Any, body: Any = mask, more: Any = {}): HandlerAnswer => ({
  json: { protocol_version: '1.0', parts: [{ label: 'a', SeriesInstanceUID: UID, ...part }], ...more },
  parts: [body],
});
const json = (more: Any): HandlerAnswer => ({ json: { protocol_version: '1.0', parts: [], ...more } });
const probability = { binary_type: 'probability_mask', binary_data_shape: shape };
const box = { label: 'b', SOPInstanceUID: UID, top_left: [1, 2], bottom_right: [3, 4] };
const ruler = { SOPInstanceUID: UID, label: 'r', coordinates_type: 'pixel', start: [1, 2], end: [3, 4.5] };
const anchors = (data: Any) => ({ warm: { type: 'anchorpoints', data } });
const point = (threshold: number, color: Any = [0, 0, 255, 128]) => ({ threshold, color });

const GOOD: Readonly<Record<string, HandlerAnswer>> = {
  'nothing but the frame': json({}),
  boxes: json({ bounding_boxes_2d: [box] }),
  rulers: json({
    linear_measurements_2d: [
      ruler,
      { ...ruler, frame_number: 2, coordinates_type: 'world', start: [1, 2, 3], end: [4, 5, 6] },
    ],
  }),
  classification: json({ study_ml_json: { a: 1 }, series_ml_json: { [UID]: { b: { c: [] } } } }),
  'a 3-D probability mask': answer({ ...probability, probability_threshold: 0.5 }),
  'a 2-D boolean mask': answer(
    {
      binary_type: 'boolean_mask',
      binary_data_shape: { width: 4, height: 3 },
      dicom_image: { SOPInstanceUID: UID, frame_number: 1 },
    },
    new Uint8ClampedArray(12),
  ),
  'a heat map with its palette': answer({ ...probability, binary_type: 'heatmap', palette: 'warm' }, mask, {
    palettes: anchors([point(0), point(0.5), point(1)]),
  }),
  'a label mask': answer(
    { ...probability, binary_type: 'numeric_label_mask', label_map: { 1: 'x', 3: 'y' } },
    Uint8Array.of(...Array(11).fill(0), 3),
  ),
  conformance: answer(
    { ...probability, dicomConformance: { recommended: [{ description: 'thin slices', compliant: false }] } },
    mask.buffer,
  ),
};

const BAD: Readonly<Record<string, Any>> = {
  nothing: undefined,
  'no JSON': {},
  'no version': { json: { parts: [] } },
  'another version': { json: { protocol_version: '2.0', parts: [] } },
  'no parts, as in the sample of the README': { json: { protocol_version: '1.0', bounding_boxes_2d: [box] } },
  'a part without body': { json: answer(probability).json, parts: [] },
  'a body without part': { json: json({}).json, parts: [mask] },
  'a mask that is too short': answer(probability, mask.subarray(1)),
  'a mask that is too long': answer(probability, new Uint8Array(13)),
  'floats in place of bytes': answer(probability, new Float32Array(12)),
  'signed bytes': answer(probability, new Int8Array(12)),
  text: answer(probability, 'x'.repeat(12)),
  'no shape': answer({ binary_type: 'boolean_mask' }),
  'half a 3-D shape': answer({ ...probability, binary_data_shape: { depth: 2, width: 3, height: 2 } }),
  'a 2-D mask without image': answer({ ...probability, binary_data_shape: { width: 4, height: 3 } }),
  'an unknown kind': answer({ ...probability, binary_type: 'polygon' }),
  'no label': answer({ ...probability, label: undefined }),
  'a series that is no UID': answer({ ...probability, SeriesInstanceUID: 'series 1' }),
  'a threshold above 1': answer({ ...probability, probability_threshold: 128 }),
  'a palette that is not there': answer({ ...probability, binary_type: 'heatmap', palette: 'warm' }),
  'a palette of one point': json({ palettes: anchors([point(0)]) }),
  'a palette that does not begin at 0': json({ palettes: anchors([point(0.1), point(1)]) }),
  'a palette that does not end at 1': json({ palettes: anchors([point(0), point(0.9)]) }),
  'a palette that falls': json({ palettes: anchors([point(0), point(0.6), point(0.5), point(1)]) }),
  'a colour of three': json({ palettes: anchors([point(0, [0, 0, 0]), point(1)]) }),
  'a colour above 255': json({ palettes: anchors([point(0, [256, 0, 0, 0]), point(1)]) }),
  'a label mask without labels': answer({ ...probability, binary_type: 'numeric_label_mask' }),
  'a label that has no name': answer(
    { ...probability, binary_type: 'numeric_label_mask', label_map: { 1: 'x' } },
    Uint8Array.of(...Array(11).fill(0), 2),
  ),
  'two labels of one name': answer({
    ...probability,
    binary_type: 'numeric_label_mask',
    label_map: { 1: 'x', 2: 'x' },
  }),
  'a label in letters': answer({ ...probability, binary_type: 'numeric_label_mask', label_map: { one: 'x' } }),
  'DICOM that is none': answer({ binary_type: 'dicom_structured_report' }),
  'a box the wrong way round': json({ bounding_boxes_2d: [{ ...box, top_left: [9, 9] }] }),
  'a box with one number': json({ bounding_boxes_2d: [{ ...box, top_left: [9] }] }),
  'a box on no image': json({ bounding_boxes_2d: [{ ...box, SOPInstanceUID: '' }] }),
  'a ruler in inches': json({ linear_measurements_2d: [{ ...ruler, coordinates_type: 'inches' }] }),
  'findings of a series that is no UID': json({ series_ml_json: { first: {} } }),
  'conformance without verdict': answer({ ...probability, dicomConformance: { recommended: [{ description: 'x' }] } }),
};

describe('an answer', () => {
  for (const [name, good] of Object.entries(GOOD))
    it(`with ${name} is sent`, () => expect(() => checkAnswer(good)).not.toThrow());
  for (const [name, bad] of Object.entries(BAD))
    it(`with ${name} is not sent`, () => {
      expect(() => checkAnswer(bad)).toThrow(expect.objectContaining({ kind: 'inconsistent-answer' }));
    });

  it('with a real DICOM file is sent, and with a cut one not', async () => {
    const { files } = await makePhantom({ size: [16, 16, 1] });
    const { bytes } = files[0]!;
    for (const binary_type of ['dicom', 'dicom_secondary_capture', 'dicom_structured_report', 'dicom_gsps'])
      expect(checkAnswer(answer({ binary_type }, bytes))[0]!.mediaType).toBe('application/dicom');
    for (const part of [
      bytes.subarray(0, 200),
      bytes.subarray(128),
      Buffer.concat([bytes.subarray(0, 132), Buffer.alloc(900, 7)]),
    ])
      expect(() => checkAnswer(answer({ binary_type: 'dicom' }, part))).toThrow(
        expect.objectContaining({ kind: 'inconsistent-answer' }),
      );
  });

  it('over HTTP is 500 with no byte of it, and the log says why, with the hash of the input', async () => {
    const lines: string[] = [];
    const write = (text: string) => lines.push(text);
    const log = { debug: write, info: write, warn: write, error: write };
    const handlers = {
      '/short': () => answer(probability, mask.subarray(1)),
      '/nan': () => json({ study_ml_json: { a: Number.NaN } }),
      '/throws': () => {
        throw new Error('about Mueller^Joerg');
      },
      '/good': () => answer(probability),
    };
    const served = await serveHandlers(handlers, { port: 0, log });
    try {
      for (const path of ['/short', '/nan', '/throws']) {
        const { status, body, headers } = await ask(served.url, path, { body: requestBody([mask]) });
        expect([status, body.toString(), headers['content-type']]).toEqual([
          500,
          'internal server error',
          'text/html; charset=utf-8',
        ]);
      }
      const { hashes } = readAnswer(await ask(served.url, '/good', { body: requestBody([mask]) }));
      const tag = `{"input_hash": "${hashes.slice(0, 64)}"} - `;
      expect(lines).toContain(`${tag}no answer: The mask has 11 bytes, its shape has 12 voxels [parts.0]`);
      for (const line of lines) expect(line).toContain(hashes.slice(0, 64));
      expect(lines.join('\n')).not.toContain('Mueller');
    } finally {
      await served.close();
    }
  });
});

it('JSON is that of Python: blanks, escapes, order', () => {
  const text = jsonText({
    b: [1, -2.5, true, null],
    a: { 'ä"\n': '€\u{1f600}' },
    empty: {},
    none: [],
    left: undefined,
  });
  expect(text).toBe(
    '{"b": [1, -2.5, true, null], "a": {"\\u00e4\\"\\n": "\\u20ac\\ud83d\\ude00"}, "empty": {}, "none": []}',
  );
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => jsonText([bad])).toThrow(RangeError);
});
