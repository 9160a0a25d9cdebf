/** A bundle of the registry on a route, over HTTP: masks lie on the images in the order of the request, however they lie. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePhantom, type PhantomOptions } from '@isocenter/engine';
import { openSources } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../../tools/test/needs.js';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { ask, JSON_TEXT, readAnswer, requestBody } from './arterys.suite.js';
import { boxOf, sliceOrder } from './masks-to-answer.js';
import { arterys } from './routes.js';

const SIZE = [96, 80, 12] as const;
const VOXELS = SIZE[0] * SIZE[1];
/** 100 HU: the phantom's files are stored with an offset of 1024. */
const DENSE = 1124;
const LAYOUTS: readonly (readonly [string, PhantomOptions])[] = [
  ['axial', {}],
  ['sagittal', { plane: 'sagittal' }],
  ['coronal', { plane: 'coronal' }],
  ['oblique', { tilt: [20, 10, 5] }],
  ['flipped', { flipColumns: true, flipRows: true }],
  ['feet first', { patientPosition: 'FFS' }],
];

async function images(options: PhantomOptions): Promise<Uint8Array[]> {
  const spacing = options.plane ? ([4, 4, 20] as const) : ([4.5, 4.5, 20] as const);
  const { files } = await makePhantom({ size: [...SIZE], spacing: [...spacing], ...options });
  return files.map(({ bytes }) => bytes);
}

/** Pixels from the end of the file, without our reader. */
function stored(file: Uint8Array): Uint16Array {
  const bytes = Buffer.from(file).subarray(-VOXELS * 2);
  return new Uint16Array(VOXELS).map((_, n) => bytes.readUInt16LE(2 * n));
}

describe('a model on a route', () => {
  let server: RestServer;
  beforeAll(async () => {
    const routes = {
      '/': 'ct-basic',
      '/labels': { model: 'ct-basic', output: 'label-mask' },
      '/report': { model: 'ct-basic', output: 'structured-report' },
      '/none': 'no-such-model:1',
    };
    server = await protocolServer([arterys], { flags: { protocols: JSON.stringify({ arterys: { routes } }) } });
  }, 120_000);
  afterAll(() => server.close());

  const post = (path: string, files: readonly Uint8Array[], json = JSON_TEXT) =>
    ask(server.url, path, { body: requestBody(files, json) });

  for (const [name, options] of LAYOUTS)
    it(`gives one mask a structure, ${name}, slice by slice in the order in which the images were sent`, async () => {
      const sent = await images(options);
      // Neither by position nor by name.
      const shuffled = sent.map((_, n) => sent[(n * 5) % sent.length]!);
      const { json, bodies } = readAnswer(await post('/', shuffled));
      expect(json.parts.length).toBeGreaterThan(1);
      expect(json.parts[0]).toMatchObject({
        binary_type: 'probability_mask',
        binary_data_shape: { timepoints: 1, depth: SIZE[2], width: SIZE[0], height: SIZE[1] },
      });
      // Bone is sparse and dense: one slice, column or row aside, and its mask lies on something else.
      const bone = bodies[json.parts.findIndex(({ label }: { label: string }) => /bone/i.test(label))]!;
      const denseShare = (files: readonly Uint8Array[]) => {
        let inside = 0;
        let dense = 0;
        for (const [s, file] of files.entries()) {
          const pixels = stored(file);
          for (let n = 0; n < VOXELS; n++) {
            if (bone[s * VOXELS + n] === 0) continue;
            inside++;
            if (pixels[n]! > DENSE) dense++;
          }
        }
        expect(inside).toBeGreaterThan(200);
        return dense / inside;
      };
      const share = denseShare(shuffled);
      // The model closes small gaps, which are less dense; in any other order most of the mask lies on no bone.
      expect(share).toBeGreaterThan(0.85);
      expect(denseShare(sent)).toBeLessThan(0.75 * share);
      expect(server.logged.join('')).not.toContain('1.2.826.0.1.3680043.2.1143.1');
    });

  it('gives every image its slice, also one that was sent twice', async () => {
    const sent = await images({});
    const once = readAnswer(await post('/', sent));
    const order = [0, 3, 1, 2, 3, ...sent.keys()].filter((n, at, all) => n === 3 || all.indexOf(n) === at).slice(0, 14);
    const twice = readAnswer(
      await post(
        '/',
        order.map((n) => sent[n]!),
      ),
    );
    for (const [p, { binary_data_shape }] of twice.json.parts.entries()) {
      expect(binary_data_shape).toMatchObject({ depth: order.length });
      const slice = (of: Buffer, s: number) => of.subarray(s * VOXELS, (s + 1) * VOXELS);
      for (const [s, n] of order.entries())
        expect(slice(twice.bodies[p]!, s).equals(slice(once.bodies[p]!, n)), `part ${p}, slice ${s}`).toBe(true);
    }
  });

  it('refuses a series of which an image was left out: what follows would lie on the wrong images', async () => {
    const sent = await images({});
    // ImageType of the last: a localiser, which belongs to no volume.
    const bytes = Buffer.from(sent.at(-1)!);
    const at = bytes.indexOf('ORIGINAL\\PRIMARY\\AXIAL', 0, 'latin1');
    expect(at).toBeGreaterThan(0);
    bytes.write('ORIG\\PRI\\LOCALIZER    ', at, 'latin1');
    const answer = await post('/', [bytes, ...sent.slice(0, -1)]);
    expect(answer.status).toBe(422);
    expect(answer.body.toString()).toContain('1 of the 12 images');
    // Boxes name their image.
    const boxes = await post('/', [bytes, ...sent.slice(0, -1)], '{"inference_command": "get-bounding-box-2d"}');
    expect(boxes.status).toBe(200);
  });

  it('refuses an image that nothing could refer to, in place of a series without it', async () => {
    const sent = await images({});
    // Made into neighbours that nobody knows; an image is also known by the head of its file.
    const instance = '\x08\x00\x18\x00UI';
    const series = '\x20\x00\x0e\x00UI';
    const head = '\x02\x00\x03\x00UI';
    for (const [tags, status] of [
      [[instance, head], 422],
      [[series], 422],
      [[instance], 200],
    ] as const) {
      const nameless = Buffer.from(sent.at(-1)!);
      for (const tag of tags) nameless[nameless.indexOf(tag, 0, 'latin1') + 2]! += 1;
      const answer = await post('/', [...sent.slice(0, -1), nameless]);
      expect([tags, answer.status]).toEqual([tags, status]);
      if (status === 422) expect(answer.body.toString()).toContain('(part 12)');
      else expect(readAnswer(answer).json.parts[0].binary_data_shape.depth).toBe(sent.length);
    }
  });

  it('gives boxes that enclose the masks, by image', async () => {
    const sent = await images({});
    const masks = readAnswer(await post('/', sent));
    const { json, bodies } = readAnswer(await post('/', sent, '{"inference_command": "get-bounding-box-2d"}'));
    expect(bodies).toEqual([]);
    const expected = masks.json.parts.flatMap(({ label }: { label: string }, p: number) =>
      sent.flatMap((_, s) => {
        const mask = masks.bodies[p]!.subarray(s * VOXELS, (s + 1) * VOXELS);
        const at = [...mask.keys()].filter((n) => mask[n]! > 0);
        if (at.length === 0) return [];
        const columns = at.map((n) => n % SIZE[0]);
        const rows = at.map((n) => Math.floor(n / SIZE[0]));
        const box = {
          top_left: [Math.min(...columns), Math.min(...rows)],
          bottom_right: [Math.max(...columns), Math.max(...rows)],
        };
        return [{ label, ...box }];
      }),
    );
    expect(json.bounding_boxes_2d.map(({ SOPInstanceUID: _, ...box }: { SOPInstanceUID: string }) => box)).toEqual(
      expected,
    );
  });

  it('gives one label mask, a structured report, or findings alone where the route or the request says so', async () => {
    const sent = await images({});
    const labels = readAnswer(await post('/labels', sent));
    expect(labels.json.parts).toHaveLength(1);
    const { binary_type, label_map } = labels.json.parts[0];
    expect(binary_type).toBe('numeric_label_mask');
    expect(new Set(labels.bodies[0])).toEqual(new Set([0, ...Object.keys(label_map).map(Number)]));
    const report = readAnswer(await post('/report', sent));
    expect(report.json.parts[0].binary_type).toBe('dicom_structured_report');
    expect(report.parts[1]!.lines[1]).toBe('Content-Type: application/dicom');
    expect(report.bodies[0]!.toString('latin1', 128, 132)).toBe('DICM');
    const capture = readAnswer(await post('/', sent, '{"inference_command": "get-secondary-capture"}'));
    expect(capture.json.parts[0].binary_type).toBe('dicom_secondary_capture');
    const findings = readAnswer(await post('/', sent, '{"inference_command": "get-findings"}'));
    expect(findings.json.parts).toEqual([]);
    expect(findings.json.study_ml_json.structures.length).toBeGreaterThan(1);
    expect(findings.json.study_ml_json.structures[0]).toEqual({
      structure: expect.any(String),
      volume_ml: expect.any(Number),
      voxels: expect.any(Number),
    });
  });

  it('leaves no image behind, and says so in the audit log with the hashes of input and answer', async () => {
    const { hashes } = readAnswer(await post('/', await images({})));
    await expect.poll(() => readdir(server.parts.temporaryFolder)).toEqual([]);
    const { entries } = await server.parts.audit.list({ subjectKind: 'request' }, { limit: 10 });
    const actions = entries.map(({ action }) => action);
    expect(actions).toContain('images.erased');
    const answered = entries.find(
      ({ action, details }) => action === 'arterys.answered' && details?.includes(hashes.slice(0, 64)),
    );
    expect(answered?.details).toContain(hashes.slice(65));
  });

  it('refuses what no model could use, and names no reason within the server', async () => {
    const noImage = await post('/', [Buffer.from('a note')]);
    expect([noImage.status, noImage.body.toString()]).toEqual([422, expect.stringContaining('DICOM')]);
    const absent = await post('/none', await images({}));
    expect([absent.status, absent.body.toString()]).toEqual([500, 'internal server error']);
    await expect.poll(() => readdir(server.parts.temporaryFolder)).toEqual([]);
  });

  describeWithData('ct-rtstruct-lung1', 'a real thorax CT', (folder) => {
    it('has lungs of a plausible size, and the mask has as many slices as were sent', async () => {
      const opened = await openSources(join(folder, 'LUNG1-001_CT_dicom.zip'));
      const files = await Promise.all(opened.sources.map((source) => source.read()));
      await opened.close();
      const { json, bodies } = readAnswer(await post('/', files));
      const lungs = json.parts.findIndex(({ label }: { label: string }) => /lung/i.test(label));
      expect(json.parts[lungs].binary_data_shape).toEqual({
        timepoints: 1,
        depth: files.length,
        width: 512,
        height: 512,
      });
      expect(bodies[lungs]).toHaveLength(files.length * 512 * 512);
      const { structures } = json.study_ml_json;
      const ml = structures[lungs].volume_ml;
      expect(ml).toBeGreaterThan(500);
      expect(ml).toBeLessThan(12_000);
    }, 240_000);
  });

  describeWithData('dicom-transfer-syntax', 'a compressed image', (folder) => {
    it('that is no volume is refused in words', async () => {
      const file = await readFile(join(folder, 'ct-one-slice/JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm'));
      const answer = await post('/', [file, file.subarray(0, 500)]);
      expect([200, 422]).toContain(answer.status);
    });
  });
});

it('slices are sorted by what was sent, frames of one image by their number', () => {
  const at = (SOPInstanceUID: string, frameNumber?: number) => ({
    SOPInstanceUID,
    ...(frameNumber ? { frameNumber } : {}),
  });
  const rank = new Map([
    ['c', 0],
    ['a', 1],
  ]);
  expect(sliceOrder([at('a'), at('b'), at('c')], rank)).toEqual([2, 0, 1]);
  expect(sliceOrder([at('a', 3), at('a', 1), at('c', 2), at('c', 1)], rank)).toEqual([3, 2, 1, 0]);
});

it('a box has the outermost pixels for corners', () => {
  const slice = Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
  expect(boxOf(slice, 4)).toEqual({ top_left: [1, 1], bottom_right: [2, 2] });
  expect(boxOf(new Uint8Array(12), 4)).toBeUndefined();
});
