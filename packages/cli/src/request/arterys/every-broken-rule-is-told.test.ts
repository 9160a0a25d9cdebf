/** One wrong answer for each rule of the protocol's answers, sent by a service of this test over HTTP. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  answerTo,
  at,
  box,
  bytes,
  dicomObject,
  endService,
  errors,
  mask,
  PLANE,
  pieces,
  points,
  SIZE,
  SLICES,
  seriesUID,
  shape,
  top,
  uid,
  withBox,
  withDicom,
  withLabels,
  withLine,
  withMask,
  withPalette,
  withVolume,
} from './planned-answers.suite.js';
import type { AnswerPlan } from './service.suite.js';

afterAll(endService);

/** What is wrong, the answer, the part that must be named, and words of the rule. */
const broken: readonly (readonly [string, AnswerPlan, string, RegExp])[] = [
  // The envelope.
  ['another content type', { contentType: () => 'application/json' }, 'Content-Type', /multipart\/related/],
  [
    'an upper-case content type',
    { contentType: (b) => `Multipart/Related; boundary=${b}` },
    'Content-Type',
    /multipart\/related/,
  ],
  ['no boundary', { contentType: () => 'multipart/related' }, 'Content-Type', /boundary/],
  [
    'an illegal boundary',
    {
      contentType: () => 'multipart/related; boundary=a[b]c',
      bytes: (b, x) => Buffer.from(b.toString('latin1').replaceAll(x, 'a[b]c'), 'latin1'),
    },
    'Content-Type',
    /boundary/,
  ],
  ['a preamble', { bytes: (b) => Buffer.concat([Buffer.from('hello\r\n'), b]) }, 'body', /nothing stands before/],
  ['an epilogue', { bytes: (b) => Buffer.concat([b, Buffer.from('bye\r\n')]) }, 'body', /end the body/],
  ['no line end at the end', { bytes: (b) => b.subarray(0, -2) }, 'body', /end the body/],
  ['no last delimiter', { bytes: (b, x) => b.subarray(0, -(x.length + 8)) }, 'part 1', /up to its last delimiter/],
  [
    'another boundary in the body',
    { bytes: (b, x) => Buffer.from(b.toString('latin1').replaceAll(x, 'other'), 'latin1') },
    'before the first part',
    /up to its last delimiter/,
  ],
  ['no part', { bytes: (_, x) => Buffer.from(`--${x}--\r\n`) }, 'body', /first part is the JSON/],
  ['JSON that is none', { json: '{"parts": NaN}' }, 'json-body', /JSON object/],
  ['JSON that is a list', { json: '[]' }, 'json-body', /JSON object/],
  [
    'JSON that is not UTF-8',
    pieces((all) => all.map((p, i) => (i === 0 ? { ...p, body: Buffer.from('{"a": "é"}', 'latin1') } : p))),
    'json-body',
    /UTF-8/,
  ],
  ['a wrong name of the JSON', pieces(at(0, { name: 'json' })), 'json-body', /name/],
  ['a wrong name of a binary part', pieces(at(1, { name: 'elem_1' })), 'elem_0', /name/],
  ['a part without headers', pieces(at(1, { headers: [] })), 'elem_0', /type/],
  ['a JSON part of another type', pieces(at(0, { type: 'text/json' })), 'json-body', /type/],
  ['a mask of type image/png', pieces(at(1, { type: 'image/png' })), 'elem_0', /type/],
  ['digests too short', pieces(at(2, { body: Buffer.from('abc:def') })), 'hashes', /two SHA-256/],
  [
    'a wrong digest of the request',
    pieces((all) =>
      all.map((p, i) =>
        i === 2
          ? {
              ...p,
              body: Buffer.from(
                Buffer.from(p.body)
                  .toString()
                  .replace(/^.{64}/, '0'.repeat(64)),
              ),
            }
          : p,
      ),
    ),
    'hashes',
    /of the request/,
  ],
  [
    'a wrong digest of the answer',
    pieces((all) =>
      all.map((p, i) =>
        i === 2
          ? {
              ...p,
              body: Buffer.from(
                Buffer.from(p.body)
                  .toString()
                  .replace(/.{64}$/, '0'.repeat(64)),
              ),
            }
          : p,
      ),
    ),
    'hashes',
    /JSON and all binary/,
  ],
  // The JSON as a whole.
  ['no protocol version', { json: { parts: [] } }, 'protocol_version', /version/],
  ['a number as version', { json: top({ protocol_version: 1.0 }) }, 'protocol_version', /version/],
  ['no list of parts', { json: { protocol_version: '1.0' } }, 'parts', /listed/],
  [
    'fewer buffers than entries',
    { json: top({ parts: [mask, mask] }), binaries: [{ body: bytes(PLANE) }] },
    'parts',
    /one binary part/,
  ],
  ['more buffers than entries', { json: top({}), binaries: [{ body: bytes(PLANE) }] }, 'parts', /one binary part/],
  ['study_ml_json as text', { json: top({ study_ml_json: 'healthy' }) }, 'study_ml_json', /object/],
  ['series_ml_json as a list', { json: top({ series_ml_json: [] }) }, 'series_ml_json', /object/],
  ['a series that was not sent', { json: top({ series_ml_json: { '1.2.3': {} } }) }, 'series_ml_json["1.2.3"]', /sent/],
  [
    'text about a series',
    { json: top({ series_ml_json: { [seriesUID]: 'healthy' } }) },
    `series_ml_json["${seriesUID}"]`,
    /object/,
  ],
  // Boxes and measurements.
  ['boxes as an object', { json: top({ bounding_boxes_2d: box }) }, 'bounding_boxes_2d', /list/],
  ['a box that is text', { json: top({ bounding_boxes_2d: ['box'] }) }, 'bounding_boxes_2d[0]', /object/],
  ['a box without label', withBox({ label: undefined }), 'bounding_boxes_2d[0].label', /label/],
  [
    'a box without image',
    withBox({ SOPInstanceUID: undefined }),
    'bounding_boxes_2d[0].SOPInstanceUID',
    /names its image/,
  ],
  ['a box on a foreign image', withBox({ SOPInstanceUID: '1.2.3' }), 'bounding_boxes_2d[0].SOPInstanceUID', /sent/],
  ['a corner of three numbers', withBox({ top_left: [1, 2, 3] }), 'bounding_boxes_2d[0].top_left', /corner/],
  [
    'a corner outside',
    withBox({ bottom_right: [SIZE + 1, 6] }),
    'bounding_boxes_2d[0].bottom_right',
    /lies in its image/,
  ],
  [
    'corners swapped',
    withBox({ top_left: [5, 6], bottom_right: [1, 2] }),
    'bounding_boxes_2d[0].bottom_right',
    /right of and below/,
  ],
  [
    'a measurement that is a number',
    { json: top({ linear_measurements_2d: [5] }) },
    'linear_measurements_2d[0]',
    /object/,
  ],
  [
    'a measurement on a foreign image',
    withLine({ SOPInstanceUID: '1.2.3' }),
    'linear_measurements_2d[0].SOPInstanceUID',
    /sent/,
  ],
  ['a measurement without label', withLine({ label: 7 }), 'linear_measurements_2d[0].label', /label/],
  [
    'a measurement in inches',
    withLine({ coordinates_type: 'inch' }),
    'linear_measurements_2d[0].coordinates_type',
    /known kind/,
  ],
  ['a measurement in frame 0', withLine({ frame_number: 0 }), 'linear_measurements_2d[0].frame_number', /from 1/],
  [
    'a measurement in a frame that is not there',
    withLine({ frame_number: 2 }),
    'linear_measurements_2d[0].frame_number',
    /from 1/,
  ],
  ['a start that is text', withLine({ start: '1,1' }), 'linear_measurements_2d[0].start', /point/],
  ['an end outside', withLine({ end: [-1, 3] }), 'linear_measurements_2d[0].end', /lies in its image/],
  // Palettes.
  ['palettes as a list', { json: top({ palettes: [] }) }, 'palettes', /names/],
  ['a palette as text', withPalette('jet'), 'palettes["hot"]', /object/],
  ['a palette of another type', withPalette({ type: 'lut', data: points }), 'palettes["hot"].type', /known/],
  [
    'a palette of one point',
    withPalette({ type: 'anchorpoints', data: [points[0]] }),
    'palettes["hot"].data',
    /two points/,
  ],
  [
    'a palette that begins late',
    withPalette({ type: 'anchorpoints', data: [{ ...points[0], threshold: 0.1 }, points[1]] }),
    'palettes["hot"].data[0].threshold',
    /first threshold/,
  ],
  [
    'a palette that ends early',
    withPalette({ type: 'anchorpoints', data: [points[0], { ...points[1], threshold: 0.9 }] }),
    'palettes["hot"].data[1].threshold',
    /last threshold/,
  ],
  [
    'a threshold above 1',
    withPalette({ type: 'anchorpoints', data: [points[0], { ...points[1], threshold: 2 }, points[1]] }),
    'palettes["hot"].data[1].threshold',
    /0 to 1/,
  ],
  [
    'thresholds that fall',
    withPalette({
      type: 'anchorpoints',
      data: [points[0], { ...points[1], threshold: 0.7 }, { ...points[1], threshold: 0.5 }, points[1]],
    }),
    'palettes["hot"].data[2].threshold',
    /ascend/,
  ],
  [
    'a colour of three numbers',
    withPalette({ type: 'anchorpoints', data: [points[0], { threshold: 1, color: [1, 2, 3] }] }),
    'palettes["hot"].data[1].color',
    /R, G, B, A/,
  ],
  [
    'a colour above 255',
    withPalette({ type: 'anchorpoints', data: [points[0], { threshold: 1, color: [1, 2, 3, 256] }] }),
    'palettes["hot"].data[1].color',
    /R, G, B, A/,
  ],
  // Entries of parts.
  [
    'an entry that is text',
    { json: top({ parts: ['mask'] }), binaries: [{ body: bytes(PLANE) }] },
    'parts[0]',
    /object/,
  ],
  ['an entry without label', withMask({ label: undefined }), 'parts[0].label', /label/],
  ['an unknown type', withMask({ binary_type: 'mask' }), 'parts[0].binary_type', /known/],
  ['a mask without shape', withMask({ binary_data_shape: undefined }), 'parts[0].binary_data_shape', /shape/],
  [
    'a width that is text',
    withMask({ binary_data_shape: { width: '12', height: SIZE } }),
    'parts[0].binary_data_shape.width',
    /whole numbers/,
  ],
  [
    'a height of 0',
    withMask({ binary_data_shape: { width: SIZE, height: 0 } }),
    'parts[0].binary_data_shape.height',
    /whole numbers/,
  ],
  [
    'a 3-D mask without timepoints',
    withVolume(shape({ timepoints: undefined })),
    'parts[0].binary_data_shape.timepoints',
    /whole numbers/,
  ],
  [
    'a 3-D mask without depth',
    withVolume(shape({ depth: undefined })),
    'parts[0].binary_data_shape.depth',
    /whole numbers/,
  ],
  [
    'a 3-D mask without series',
    withVolume({ SeriesInstanceUID: undefined }),
    'parts[0].SeriesInstanceUID',
    /names its series/,
  ],
  ['a 3-D mask of a foreign series', withVolume({ SeriesInstanceUID: '1.2.3' }), 'parts[0].SeriesInstanceUID', /sent/],
  ['too few bytes', withVolume({}, PLANE), 'parts[0].binary_data_shape', /shape is that of the bytes/],
  ['floats for bytes', withVolume({}, PLANE * SLICES * 4), 'parts[0].binary_data_shape', /shape is that of the bytes/],
  [
    'more planes than images',
    withVolume(shape({ depth: 3 }), PLANE * 3),
    'parts[0].binary_data_shape',
    /plane for each image/,
  ],
  [
    'another size than the image',
    withMask({ binary_data_shape: { width: SIZE / 2, height: SIZE * 2 } }),
    'parts[0].binary_data_shape',
    /size of its image/,
  ],
  [
    'a 2-D mask of a foreign image',
    withMask({ dicom_image: { SOPInstanceUID: '1.2.3' } }),
    'parts[0].dicom_image.SOPInstanceUID',
    /sent/,
  ],
  ['a 2-D mask without UID', withMask({ dicom_image: {} }), 'parts[0].dicom_image.SOPInstanceUID', /names its image/],
  [
    'a frame that is not there',
    withMask({ dicom_image: { SOPInstanceUID: uid, frame_number: 2 } }),
    'parts[0].dicom_image.frame_number',
    /from 1/,
  ],
  [
    'a threshold in grey values',
    withVolume({ probability_threshold: 128 }),
    'parts[0].probability_threshold',
    /probability/,
  ],
  ['an unknown palette', withMask({ binary_type: 'heatmap', palette: 'hot' }), 'parts[0].palette', /stands in/],
  ['labels without names', withLabels({ label_map: undefined }), 'parts[0].label_map', /names/],
  [
    'a label that is no number',
    withLabels({ label_map: { one: 'liver', '1': 'lung' } }),
    'parts[0].label_map',
    /label values/,
  ],
  ['a name that is a number', withLabels({ label_map: { '1': 5 } }), 'parts[0].label_map', /names/],
  ['a name twice', withLabels({ label_map: { '1': 'lung', '2': 'lung' } }), 'parts[0].label_map', /unique/],
  ['a value above the names', withLabels({}, 255), 'parts[0].label_map', /largest value/],
  [
    'conformance of another shape',
    withMask({ dicomConformance: { recommended: [{ description: 'x' }] } }),
    'parts[0].dicomConformance',
    /recommendations/,
  ],
  ['a DICOM object that is none', withDicom(Buffer.from('%PDF-1.4')), 'elem_0', /DICOM file/],
  ['a DICOM object without UIDs', withDicom(writeDicomWithout()), 'elem_0', /DICOM file/],
  [
    'a DICOM object as binary',
    withDicom(dicomObject(), {}, { type: 'application/binary' }),
    'elem_0',
    /follows from binary_type/,
  ],
  [
    'a mask as DICOM',
    withMask({}, { binaries: [{ type: 'application/dicom', body: bytes(PLANE) }] }),
    'elem_0',
    /follows from binary_type/,
  ],
];

function writeDicomWithout(): Uint8Array {
  const whole = Buffer.from(dicomObject());
  // The element (0008,0018) becomes (0008,0013), which is something else.
  const tag = whole.indexOf(Buffer.from([0x08, 0x00, 0x18, 0x00]));
  whole[tag + 2] = 0x13;
  return whole;
}

describe('an answer with', () => {
  it.each(broken)('%s is refused, with the part and the rule', async (_title, plan, part, rule) => {
    const report = await answerTo(plan);
    expect(report.valid).toBe(false);
    const told = errors(report).filter((fault) => fault.part === part && rule.test(fault.rule));
    expect(told, JSON.stringify(report.faults, undefined, 1)).toHaveLength(1);
    for (const { expected, actual, next } of report.faults) expect([expected, actual, next]).not.toContain('');
  });
});
