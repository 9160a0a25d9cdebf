#!/usr/bin/env node
/**
 * One handler for each further kind of answer, each on a path of its own:
 *   node examples/arterys/every-output.mjs [port]
 * The numbers are made up; where a model would be, there is a threshold.
 */
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { writeMeasurementReport, writeSecondaryCapture } from '@isocenter/dicom';
import { readSeries, serveHandlers } from '@isocenter/server/arterys';

/** @typedef {import('@isocenter/server/arterys').Handler} Handler */

/** The series of the request that has most images, or what to tell the client's administrator. */
function largestSeries(parts) {
  const [series] = readSeries(parts).sort((a, b) => b.images.length - a.images.length);
  if (!series) throw new Error('the request has no image');
  return series;
}

/**
 * Voxels in measured values, slices in the order in which they were sent: `load` sorts them by position, and its reference
 * says which image each of them is.
 */
async function voxelsAsSent(series) {
  const { volume, reference } = await series.load();
  const [width, height, depth] = volume.size;
  const area = width * height;
  const values = new Float32Array(volume.data.length);
  const uids = reference.slices.map(({ SOPInstanceUID }) => SOPInstanceUID);
  series.images.forEach(({ SOPInstanceUID }, s) => {
    const k = uids.indexOf(SOPInstanceUID);
    values.set(volume.data.subarray(k * area, (k + 1) * area), s * area);
  });
  return { values, width, height, depth, reference };
}

function part3D(label, binary_type, { width, height, depth }, series) {
  const binary_data_shape = { timepoints: 1, depth, width, height };
  return { label, binary_type, binary_data_shape, SeriesInstanceUID: series.SeriesInstanceUID };
}

/** @type {Handler} */
export async function booleanMask({ parts }) {
  const series = largestSeries(parts);
  const voxels = await voxelsAsSent(series);
  const mask = Uint8Array.from(voxels.values, (value) => (value > 300 ? 1 : 0));
  return { json: { protocol_version: '1.0', parts: [part3D('dense', 'boolean_mask', voxels, series)] }, parts: [mask] };
}

/** @type {Handler} */
export async function heatmap({ parts }) {
  const series = largestSeries(parts);
  const voxels = await voxelsAsSent(series);
  const largest = voxels.values.reduce((most, value) => Math.max(most, value), 1);
  const mask = Uint8Array.from(voxels.values, (value) => Math.max(0, Math.round((255 * value) / largest)));
  const palettes = {
    warm: {
      type: 'anchorpoints',
      data: [
        { threshold: 0, color: [0, 0, 0, 0] },
        { threshold: 0.5, color: [255, 128, 0, 128] },
        { threshold: 1, color: [255, 255, 0, 255] },
      ],
    },
  };
  const part = { ...part3D('attention', 'heatmap', voxels, series), palette: 'warm' };
  return { json: { protocol_version: '1.0', parts: [part], palettes }, parts: [mask] };
}

/** @type {Handler} */
export async function labelMask({ parts }) {
  const series = largestSeries(parts);
  const voxels = await voxelsAsSent(series);
  const mask = Uint8Array.from(voxels.values, (value) => (value > 300 ? 2 : value > -200 ? 1 : 0));
  const part = { ...part3D('tissue', 'numeric_label_mask', voxels, series), label_map: { 1: 'soft', 2: 'dense' } };
  return { json: { protocol_version: '1.0', parts: [part] }, parts: [mask] };
}

/** @type {Handler} */
export function measurements({ parts }) {
  const [{ header, SOPInstanceUID }] = largestSeries(parts).images;
  const [width, height] = [header.number('Columns'), header.number('Rows')];
  const linear_measurements_2d = [
    {
      SOPInstanceUID,
      label: 'diagonal',
      coordinates_type: 'pixel',
      start: [0, 0],
      end: [width - 1, height - 1],
    },
  ];
  return { json: { protocol_version: '1.0', parts: [], linear_measurements_2d } };
}

/** Warns the reader when the images are not what the model was made for. @type {Handler} */
export async function conformance({ parts }) {
  const series = largestSeries(parts);
  const voxels = await voxelsAsSent(series);
  const compliant = series.Modality === 'CT';
  const part = {
    ...part3D('nothing', 'probability_mask', voxels, series),
    probability_threshold: 0.5,
    dicomConformance: { recommended: [{ description: 'The images are a CT', compliant }] },
  };
  return { json: { protocol_version: '1.0', parts: [part] }, parts: [new Uint8Array(voxels.values.length)] };
}

/** New UIDs for the objects of one answer; the same request gives the same. */
function objectOptions(inputHash) {
  let objects = 0;
  const uid = () => {
    const digest = createHash('sha256').update(`${inputHash} ${objects++}`).digest('hex');
    return `2.25.${BigInt(`0x${digest.slice(0, 30)}`)}`;
  };
  const provenance = {
    modelName: 'example',
    modelVersion: '1',
    weightsHash: '',
    configurationHash: '',
    runUID: uid(),
    softwareVersion: '1',
  };
  return { uid, provenance, now: new Date() };
}

/** @type {Handler} */
export async function secondaryCapture({ parts, inputHash }) {
  const series = largestSeries(parts);
  const { values, width, height, reference } = await voxelsAsSent(series);
  const data = Uint8Array.from(values.subarray(0, width * height), (value) => Math.min(255, Math.max(0, (value + 200) / 2)));
  const bytes = writeSecondaryCapture([{ width, height, channels: 1, data }], reference, objectOptions(inputHash));
  const part = { label: 'picture', binary_type: 'dicom_secondary_capture', SeriesInstanceUID: series.SeriesInstanceUID };
  return { json: { protocol_version: '1.0', parts: [part] }, parts: [bytes] };
}

/** @type {Handler} */
export async function structuredReport({ parts, inputHash }) {
  const series = largestSeries(parts);
  const { reference } = await voxelsAsSent(series);
  const classification = { title: 'Finding', classes: [{ name: 'healthy', probability: 0.9 }] };
  const bytes = writeMeasurementReport({ measurements: [], classification }, reference, objectOptions(inputHash));
  const part = { label: 'report', binary_type: 'dicom_structured_report', SeriesInstanceUID: series.SeriesInstanceUID };
  return { json: { protocol_version: '1.0', parts: [part] }, parts: [bytes] };
}

export const handlers = {
  '/boolean-mask': booleanMask,
  '/heatmap': heatmap,
  '/label-mask': labelMask,
  '/measurements': measurements,
  '/conformance': conformance,
  '/secondary-capture': secondaryCapture,
  '/structured-report': structuredReport,
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await serveHandlers(handlers, { port: Number(process.argv[2] ?? 8900) });
  process.stdout.write(`listening on ${url}\n`);
}
