/**
 * For tests of the rules of answers: a service that answers as planned about a small phantom, and answers in which one thing
 * can be changed at a time.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Dataset, parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { Workplace } from '../../run-cli.suite.js';
import type { Fault } from './faults.js';
import { type ArterysReport, requestArterys } from './request.js';
import { type AnswerPlan, type Piece, startService } from './service.suite.js';

const workplace = new Workplace();
export const service = await startService();
export const SIZE = 12;
export const SLICES = 2;
const { files } = await makePhantom({ size: [SIZE, SIZE, SLICES], spacing: [30, 30, 100] });
export const headers = files.map(({ bytes }) => parseDicom(bytes).dataset);
export const uid = headers[0].string('SOPInstanceUID') as string;
export const seriesUID = headers[0].string('SeriesInstanceUID') as string;
const studyUID = headers[0].string('StudyInstanceUID') as string;

mkdirSync(workplace.path('in'));
for (const { name, bytes } of files) writeFileSync(workplace.path('in', name), bytes);

export async function endService(): Promise<void> {
  await service.close();
  workplace.remove();
}

export async function answerTo(plan: AnswerPlan): Promise<ArterysReport> {
  service.plan = plan;
  return requestArterys({
    url: new URL(`http://127.0.0.1:${service.port}/`),
    input: workplace.path('in'),
    output: workplace.path('out'),
    attachments: [],
    studySize: false,
    labels: false,
    options: {},
    npy: false,
  });
}

export const PLANE = SIZE * SIZE;
export const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);
export const dicomObject = (study = studyUID) =>
  writeDicom(
    new Dataset()
      .set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7')
      .set('SOPInstanceUID', '1.2.3.4')
      .set('StudyInstanceUID', study),
  );

export const mask = {
  label: 'liver',
  binary_type: 'boolean_mask',
  binary_data_shape: { width: SIZE, height: SIZE },
  dicom_image: { SOPInstanceUID: uid },
};
export const volume = {
  label: 'liver',
  binary_type: 'probability_mask',
  binary_data_shape: { timepoints: 1, depth: SLICES, width: SIZE, height: SIZE },
  SeriesInstanceUID: seriesUID,
};
export const labelled = { ...mask, binary_type: 'numeric_label_mask', label_map: { '0': 'nothing', '1': 'liver' } };
export const captured = { label: 'page', binary_type: 'dicom_secondary_capture' };
export const box = { label: 'node', SOPInstanceUID: uid, top_left: [1, 2], bottom_right: [5, 6] };
export const line = { label: 'width', SOPInstanceUID: uid, coordinates_type: 'pixel', start: [1, 1], end: [4, 5] };
export const points = [
  { threshold: 0, color: [0, 0, 0, 0] },
  { threshold: 1, color: [255, 0, 0, 255] },
];

export const top = (more: object) => ({ protocol_version: '1.0', parts: [] as unknown[], ...more });
export const withMask = (change: object, more: Partial<AnswerPlan> = {}): AnswerPlan => ({
  json: top({ parts: [{ ...mask, ...change }] }),
  binaries: [{ body: bytes(PLANE) }],
  ...more,
});
export const withVolume = (change: object, length = PLANE * SLICES): AnswerPlan => ({
  json: top({ parts: [{ ...volume, ...change }] }),
  binaries: [{ body: bytes(length) }],
});
export const withLabels = (change: object, value = 1): AnswerPlan => ({
  json: top({ parts: [{ ...labelled, ...change }] }),
  binaries: [{ body: bytes(PLANE, value) }],
});
export const withDicom = (body: Uint8Array, change: object = {}, piece: object = {}): AnswerPlan => ({
  json: top({ parts: [{ ...captured, ...change }] }),
  binaries: [{ type: 'application/dicom', body, ...piece }],
});
export const withPalette = (palette: unknown): AnswerPlan => ({ json: top({ palettes: { hot: palette } }) });
export const withBox = (change: object) => ({ json: top({ bounding_boxes_2d: [{ ...box, ...change }] }) });
export const withLine = (change: object) => ({ json: top({ linear_measurements_2d: [{ ...line, ...change }] }) });
export const pieces = (change: (all: Piece[]) => Piece[]): AnswerPlan => withMask({}, { pieces: change });
export const at = (n: number, change: object) => (all: Piece[]) =>
  all.map((piece, i) => (i === n ? { ...piece, ...change } : piece));
export const shape = (change: object) => ({ binary_data_shape: { ...volume.binary_data_shape, ...change } });

export const errors = ({ faults }: ArterysReport): readonly Fault[] =>
  faults.filter(({ severity }) => severity === 'error');
