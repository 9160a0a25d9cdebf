/** Answers that keep every rule, and oddities that viewers take: warnings, told by their part, and no more. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  answerTo,
  at,
  box,
  bytes,
  captured,
  dicomObject,
  endService,
  errors,
  headers,
  labelled,
  line,
  mask,
  PLANE,
  pieces,
  points,
  SLICES,
  seriesUID,
  service,
  shape,
  top,
  volume,
  withDicom,
  withLine,
  withMask,
  withVolume,
} from './planned-answers.suite.js';
import { type AnswerPlan, answerOf } from './service.suite.js';

afterAll(endService);

describe('what is tolerated', () => {
  it.each([
    ['no digests', { ...withMask({}), hashes: false }, 'hashes'],
    [
      'headers in another order',
      pieces(
        at(1, {
          headers: [
            'Content-Type: application/binary',
            'Content-Disposition: form-data; name="elem_0"; filename="elem_0"',
          ],
        }),
      ),
      'elem_0',
    ],
    ['an unknown key', { json: top({ bounding_boxes_3d: [] }) }, 'bounding_boxes_3d'],
    ['an unknown key of a part', withMask({ labelmap: {} }), 'parts[0]'],
    ['a threshold of a boolean mask', withMask({ probability_threshold: 0.5 }), 'parts[0].probability_threshold'],
    [
      'a palette of a boolean mask',
      {
        json: top({ palettes: { hot: { type: 'anchorpoints', data: points } }, parts: [{ ...mask, palette: 'hot' }] }),
        binaries: [{ body: bytes(PLANE) }],
      },
      'parts[0].palette',
    ],
    ['names of a boolean mask', withMask({ label_map: { '1': 'x' } }), 'parts[0].label_map'],
    [
      'a type that gateways do not know',
      withDicom(dicomObject(), { binary_type: 'dicom_gsps' }),
      'parts[0].binary_type',
    ],
    ['an object of another study', withDicom(dicomObject('1.2.3')), 'elem_0'],
    [
      'a point of the world far from its image',
      withLine({ coordinates_type: 'world', start: [0, 0, 5000], end: [10, 0, 5000] }),
      'linear_measurements_2d[0]',
    ],
    [
      'a point of the world in two dimensions',
      withLine({ coordinates_type: 'world', start: [0, 0], end: [10, 0] }),
      'linear_measurements_2d[0]',
    ],
    ['planes told as times', withVolume(shape({ timepoints: 2, depth: 1 })), 'parts[0].binary_data_shape'],
  ] satisfies (readonly [string, AnswerPlan, string])[])('%s is a warning', async (_title, plan, part) => {
    const report = await answerTo(plan);
    expect(report.valid, JSON.stringify(report.faults, undefined, 1)).toBe(true);
    expect(report.faults.map((fault) => fault.part)).toEqual([part]);
  });

  it('chunks without a length are a warning', async () => {
    service.plan = (received, response) => {
      const { contentType, body } = answerOf({}, received);
      response.writeHead(200, { 'Content-Type': contentType });
      response.write(body.subarray(0, 20));
      response.end(body.subarray(20));
      return undefined;
    };
    const plan = service.plan;
    const report = await answerTo(plan as never);
    expect(report.valid).toBe(true);
    expect(report.faults.map((fault) => fault.part)).toEqual(['Content-Length']);
  });
});

describe('a right answer', () => {
  it.each([
    ['empty', {}],
    ['with a quoted boundary', { contentType: (b: string) => `multipart/related; boundary="${b}"` }],
    [
      'with every kind of part and saying',
      {
        json: top({
          parts: [
            { ...volume, probability_threshold: 0.3 },
            mask,
            { ...mask, binary_type: 'heatmap', palette: 'hot' },
            { ...labelled, dicomConformance: { recommended: [{ description: 'thin slices', compliant: false }] } },
            captured,
            { label: 'report', binary_type: 'dicom' },
          ],
          palettes: { hot: { type: 'anchorpoints', data: points } },
          bounding_boxes_2d: [box],
          linear_measurements_2d: [
            line,
            {
              ...line,
              frame_number: 1,
              coordinates_type: 'world',
              start: headers[0].numbers('ImagePositionPatient'),
              end: headers[0].numbers('ImagePositionPatient'),
            },
          ],
          study_ml_json: { label: 'healthy' },
          series_ml_json: { [seriesUID]: { value: '0.9' } },
        }),
        binaries: [
          { body: bytes(PLANE * SLICES) },
          { body: bytes(PLANE) },
          { body: bytes(PLANE) },
          { body: bytes(PLANE) },
          { type: 'application/dicom', body: dicomObject() },
          { type: 'application/dicom', body: dicomObject() },
        ],
      },
    ],
  ] satisfies (readonly [string, AnswerPlan])[])('%s has no fault and no warning', async (_title, plan) => {
    const report = await answerTo(plan);
    expect(report.faults).toEqual([]);
    expect(report.digests.proven).toBe(true);
  });

  it('of many faults all are told', async () => {
    const report = await answerTo({
      json: { parts: [{ ...mask, label: 1 }], bounding_boxes_2d: [{ ...box, label: 2, SOPInstanceUID: 'x' }] },
      binaries: [],
    });
    expect(errors(report).map((fault) => fault.part)).toEqual([
      'protocol_version',
      'bounding_boxes_2d[0].label',
      'bounding_boxes_2d[0].SOPInstanceUID',
      'parts',
      'parts[0].label',
    ]);
  });
});
