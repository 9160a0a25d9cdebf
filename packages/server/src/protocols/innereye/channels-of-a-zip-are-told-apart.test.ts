/** IE7: `ct/0 … flair/n` for a model of two channels; the second lies on another grid and is brought onto the first. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { resample } from '@isocenter/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM } from '../../accounts/actor.js';
import { attribute, node, onnxModel, tensorPort } from '../../registry/onnx/onnx-files.suite.js';
import { entriesOf, errorOf, type InnerEyeServer, innereyeServer, zipOf } from './innereye.suite.js';

const MODEL = 'second-channel:1';
const COARSE = { kind: 'head', size: [24, 24, 6], spacing: [10, 10, 30] } as const;
/** Above it the network says yes. */
const MIDDLE = 300;
const FINE = { kind: 'head', size: [60, 60, 12], spacing: [4, 4, 15] } as const;

/** What the network answers follows from its second channel alone: y = (−second, second). */
const network = onnxModel({
  nodes: [
    node({ operator: 'Split', inputs: ['x'], outputs: ['first', 'second'], attributes: [attribute('axis', 1)] }),
    node({ operator: 'Neg', inputs: ['second'], outputs: ['n'] }),
    node({ operator: 'Concat', inputs: ['n', 'second'], outputs: ['y'], attributes: [attribute('axis', 1)] }),
  ],
  inputs: [tensorPort('x', ['batch', 2, 'i', 'j', 'k'])],
  outputs: [tensorPort('y', ['batch', 2, 'i', 'j', 'k'])],
});

let server: InnerEyeServer;
beforeAll(async () => {
  server = await innereyeServer();
  const path = join(server.folder, 'network.onnx');
  await writeFile(path, network);
  const form = {
    name: 'second-channel',
    version: '1',
    kind: 'segmentation',
    channels: [{ name: 'ct' }, { name: 'flair' }],
    intensity: { kind: 'window', from: 0, to: 2 * MIDDLE, low: -1, high: 1 },
    window: 'whole',
    structures: [{ name: 'Bright', colour: [9, 8, 7], type: 'CTV' }],
  };
  await server.parts.registry.add(path, { form }, SYSTEM);
});
afterAll(() => server.close());

/** Two series of one examination: the second phantom's files with the first one's study and frame of reference. */
async function channels() {
  const [first, second] = [await makePhantom(COARSE), await makePhantom({ ...FINE, seed: '2' })];
  const { dataset: known } = parseDicom(first.files[0]!.bytes);
  const same = ['FrameOfReferenceUID', 'StudyInstanceUID', 'PatientID', 'PatientName'] as const;
  const joined = second.files.map(({ bytes }) => {
    const { dataset, transferSyntaxUID } = parseDicom(bytes);
    for (const keyword of same) dataset.set(keyword, known.string(keyword));
    return writeDicom(dataset, { transferSyntaxUID });
  });
  return { first: first.files.map(({ bytes }) => bytes), second: joined, seen: resample(second.volume, first.volume) };
}

/** As the Gateway names them: the number counts on across channels. */
const gatewayZip = (ct: readonly Uint8Array[], flair: readonly Uint8Array[]) =>
  zipOf([...ct, ...flair].map((bytes, n) => ({ name: `${n < ct.length ? 'ct' : 'flair'}/${n}`, bytes })));

async function contoursOf(zip: Buffer) {
  const answer = await server.ended(await server.start(zip, MODEL));
  if (answer.status !== 200) throw new Error(answer.body.toString());
  const bytes = (await entriesOf(answer.body))[0]!.bytes;
  return parseDicom(bytes).dataset;
}

describe('a zip of two channels', () => {
  it('gives contours in the slices of the first, of what the second shows', async () => {
    const { first, second, seen } = await channels();
    const dataset = await contoursOf(await gatewayZip(first, second));
    expect(dataset.items('StructureSetROISequence').map((roi) => roi.string('ROIName'))).toEqual(['Bright']);
    const series = parseDicom(first[0]!).dataset.string('SeriesInstanceUID');
    const [frame] = dataset.items('ReferencedFrameOfReferenceSequence');
    const [study] = frame!.items('RTReferencedStudySequence');
    const [referenced] = study!.items('RTReferencedSeriesSequence');
    expect(referenced!.string('SeriesInstanceUID')).toBe(series);
    expect(referenced!.items('ContourImageSequence')).toHaveLength(first.length);
    const contours = dataset.items('ROIContourSequence')[0]!.items('ContourSequence');
    expect(contours.length).toBeGreaterThan(0);
    // Pixels within contours along their edges, against the second image on the first one's grid: as if there were one grid.
    const [dx, dy] = COARSE.spacing;
    const pixels = contours.reduce((sum, item) => sum + areaOf(item.decimals('ContourData')), 0) / (dx * dy);
    const expected = seen.data.reduce((sum: number, value: number) => sum + (value > MIDDLE ? 1 : 0), 0);
    expect(expected).toBeGreaterThan(50);
    expect(Math.abs(pixels - expected) / expected).toBeLessThan(0.02);
  });

  it('may use one file name in both folders: duplicates are a rule for one channel', async () => {
    const { first, second } = await channels();
    const zip = await zipOf([
      ...first.map((bytes, n) => ({ name: `ct/${n}`, bytes })),
      ...second.map((bytes, n) => ({ name: `FLAIR/${n}`, bytes })),
    ]);
    expect((await server.ended(await server.start(zip, MODEL))).status).toBe(200);
  });

  it('is refused when a channel is missing, and when the two share no space', async () => {
    const { first } = await channels();
    const one = await server.ended(await server.start(await gatewayZip(first, []), MODEL));
    expect(one.status).toBe(500);
    expect(errorOf(one).detail).toMatch(/'flair'/);
    const stranger = (await makePhantom({ ...FINE, seed: '3' })).files.map(({ bytes }) => bytes);
    const two = await server.ended(await server.start(await gatewayZip(first, stranger), MODEL));
    expect(errorOf(two).detail).toMatch(/no common frame of reference/);
  });

  it('works for a model of one channel, too: the series that fits is taken', async () => {
    const { first, second } = await channels();
    const zip = await gatewayZip(first, second);
    expect((await server.ended(await server.start(zip))).status).toBe(200);
  });
});

/** Shoelace sum in the plane, mm². */
function areaOf(points: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < points.length; at += 3) {
    const next = (at + 3) % points.length;
    sum +=
      (points[at] as number) * (points[next + 1] as number) - (points[next] as number) * (points[at + 1] as number);
  }
  return Math.abs(sum) / 2;
}
