/**
 * A service that knows a phantom's structures answers with them; the pictures must be tinted exactly where each structure
 * lies, on each image, whatever way the series runs. The service finds an image's plane by its UID, not by its place.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseDicom } from '@isocenter/dicom';
import { makePhantom, type Phantom, type PhantomOptions } from '@isocenter/engine';
import { decodePng } from '@isocenter/formats';
import { afterAll, describe, expect, it } from 'vitest';
import { Workplace } from '../../run-cli.suite.js';
import { type ArterysReport, requestArterys } from './request.js';
import { type AnswerPlan, type Received, startService } from './service.suite.js';

const workplace = new Workplace();
const service = await startService();
afterAll(async () => {
  await service.close();
  workplace.remove();
});

const orientations: readonly (readonly [string, PhantomOptions])[] = [
  ['axial', { plane: 'axial' }],
  ['sagittal', { plane: 'sagittal' }],
  ['coronal', { plane: 'coronal' }],
  ['oblique', { plane: 'axial', tilt: [20, -15, 10] }],
  ['axial flipped', { plane: 'axial', flipColumns: true, flipRows: true }],
  ['coronal flipped and oblique', { plane: 'coronal', flipRows: true, tilt: [10, 0, 15] }],
  ['feet first', { plane: 'axial', patientPosition: 'FFS' }],
];

/** Columns and rows have odd spacings, so that a swapped axis or aspect shows. */
const phantomOf = (options: PhantomOptions) => makePhantom({ size: [40, 32, 6], spacing: [8, 10, 40], ...options });

/** 255 where `name` is in the plane of the slice with this index. */
function planeOf({ segmentation }: Phantom, name: string, slice: number): Uint8Array {
  const [columns, rows] = segmentation.grid.size;
  const structure = segmentation.structures.find((one) => one.name === name);
  if (!structure) throw new Error(`no ${name}`);
  const { data } = segmentation.layers[structure.layer];
  return Uint8Array.from({ length: columns * rows }, (_, at) =>
    data[slice * columns * rows + at] === structure.label ? 255 : 0,
  );
}

const instanceOf = (bytes: Uint8Array) => parseDicom(bytes).dataset.string('SOPInstanceUID') as string;

/** Files under names that say nothing of their order. */
function writeShuffled(phantom: Phantom, folder: string): Map<string, number> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(`${folder}/a/b`, { recursive: true });
  const slices = new Map<string, number>();
  phantom.files.forEach(({ bytes }, slice) => {
    slices.set(instanceOf(bytes), slice);
    writeFileSync(`${folder}/${slice % 2 ? 'a/b/' : ''}${(slice * 5) % 6}.dcm`, bytes);
  });
  return slices;
}

async function ask(input: string, output: string): Promise<ArterysReport> {
  rmSync(output, { recursive: true, force: true });
  const url = new URL(`http://127.0.0.1:${service.port}/`);
  return requestArterys({
    url,
    input,
    output,
    attachments: [],
    studySize: false,
    labels: false,
    options: {},
    npy: false,
  });
}

/** Pixels of the picture's anatomy that are tinted: anatomy is grey, a mask is not. */
function tinted(png: Buffer, columns: number, rows: number, width: number): Uint8Array {
  const picture = decodePng(png);
  const height = Math.round((width * rows * 10) / (columns * 8));
  return Uint8Array.from({ length: columns * rows }, (_, at) => {
    const x = Math.floor((((at % columns) + 0.5) * width) / columns);
    const y = Math.floor(((Math.floor(at / columns) + 0.5) * height) / rows);
    const p = 3 * (x + y * picture.width);
    const [r, g, b] = picture.data.subarray(p, p + 3);
    return Math.max(r, g, b) - Math.min(r, g, b) > 20 ? 255 : 0;
  });
}

const pictureOf = (folder: string, index: number) => {
  const name = readdirSync(folder).find((file) => file.startsWith(`${index}_`)) as string;
  return readFileSync(`${folder}/${name}`);
};

function seriesAnswer(phantom: Phantom, slices: Map<string, number>, names: readonly string[]) {
  const [width, height] = phantom.grid.size;
  return ({ parts }: Received): AnswerPlan => {
    const order = parts.slice(1).map(({ body }) => slices.get(instanceOf(body)) as number);
    const series = parseDicom(parts[1].body).dataset.string('SeriesInstanceUID');
    return {
      json: {
        protocol_version: '1.0',
        parts: names.map((label) => ({
          label,
          binary_type: 'probability_mask',
          binary_data_shape: { timepoints: 1, depth: order.length, width, height },
          SeriesInstanceUID: series,
        })),
      },
      binaries: names.map((name) => ({ body: Buffer.concat(order.map((slice) => planeOf(phantom, name, slice))) })),
    };
  };
}

describe.each(orientations)('%s images', (_name, options) => {
  it('are sent along the slice normal, and each is tinted where its structure lies', async () => {
    const phantom = await phantomOf(options);
    const slices = writeShuffled(phantom, workplace.path('in'));
    service.plan = seriesAnswer(phantom, slices, ['Lung_R']);
    const report = await ask(workplace.path('in'), workplace.path('out'));
    expect(report.faults).toEqual([]);
    const sent = service.received.at(-1) as Received;
    const order = sent.parts.slice(1).map(({ body }) => slices.get(instanceOf(body)) as number);
    expect([order, [...order].reverse()]).toContainEqual([0, 1, 2, 3, 4, 5]);
    const [columns, rows] = phantom.grid.size;
    // 32 rows of 10 mm and 40 columns of 8 mm are a square.
    const planes = order.map((slice) => planeOf(phantom, 'Lung_R', slice));
    expect(planes.some((plane) => plane.includes(255))).toBe(true);
    planes.forEach((plane, at) => {
      expect(tinted(pictureOf(workplace.path('out'), at), columns, rows, 640)).toEqual(plane);
    });
  });

  it('are tinted by masks of single images that come in another order', async () => {
    const phantom = await phantomOf(options);
    const slices = writeShuffled(phantom, workplace.path('in'));
    const [width, height] = phantom.grid.size;
    service.plan = ({ parts }) => {
      const uids = parts
        .slice(1)
        .map(({ body }) => instanceOf(body))
        .reverse();
      return {
        json: {
          protocol_version: '1.0',
          parts: uids.map((SOPInstanceUID) => ({
            label: 'lung',
            binary_type: 'boolean_mask',
            binary_data_shape: { width, height },
            dicom_image: { SOPInstanceUID },
          })),
        },
        binaries: uids.map((uid) => ({ body: planeOf(phantom, 'Lung_L', slices.get(uid) as number) })),
      };
    };
    const report = await ask(workplace.path('in'), workplace.path('out'));
    expect(report.faults).toEqual([]);
    const order = (service.received.at(-1) as Received).parts
      .slice(1)
      .map(({ body }) => slices.get(instanceOf(body)) as number);
    order.forEach((slice, at) => {
      expect(tinted(pictureOf(workplace.path('out'), at), width, height, 640)).toEqual(
        planeOf(phantom, 'Lung_L', slice),
      );
    });
  });
});

describe('several times of a series', () => {
  it('are sent place by place, and a mask has all planes of the first time first', async () => {
    const phantom = await phantomOf({});
    const [width, height, depth] = phantom.grid.size;
    rmSync(workplace.path('in'), { recursive: true, force: true });
    mkdirSync(workplace.path('in'));
    const { writeDicom } = await import('@isocenter/dicom');
    const known = new Map<string, { time: number; slice: number }>();
    for (const time of [1, 2])
      phantom.files.forEach(({ bytes }, slice) => {
        const { dataset } = parseDicom(bytes);
        const uid = `1.2.826.0.1.${time}.${slice}`;
        known.set(uid, { time, slice });
        dataset
          .set('SOPInstanceUID', uid)
          .set('TemporalPositionIdentifier', time)
          .set('InstanceNumber', time * 100 + slice);
        writeFileSync(workplace.path('in', `${slice}-${time}.dcm`), writeDicom(dataset));
      });
    const [first, second] = ['Lung_R', 'Lung_L'].map((name) =>
      Buffer.concat(Array.from({ length: depth }, (_, slice) => planeOf(phantom, name, slice))),
    );
    service.plan = ({ parts }) => ({
      json: {
        protocol_version: '1.0',
        parts: [
          {
            label: 'lungs',
            binary_type: 'boolean_mask',
            binary_data_shape: { timepoints: 2, depth, width, height },
            SeriesInstanceUID: parseDicom(parts[1].body).dataset.string('SeriesInstanceUID'),
          },
        ],
      },
      binaries: [{ body: Buffer.concat([first, second]) }],
    });
    const report = await ask(workplace.path('in'), workplace.path('out'));
    expect(report.faults).toEqual([]);
    const order = (service.received.at(-1) as Received).parts.slice(1).map(({ body }) => known.get(instanceOf(body)));
    expect(order.slice(0, 4)).toEqual([
      { time: 1, slice: 0 },
      { time: 2, slice: 0 },
      { time: 1, slice: 1 },
      { time: 2, slice: 1 },
    ]);
    order.forEach((place, at) => {
      const expected = planeOf(phantom, place?.time === 1 ? 'Lung_R' : 'Lung_L', place?.slice as number);
      expect(tinted(pictureOf(workplace.path('out'), at), width, height, 640)).toEqual(expected);
    });
  });
});
