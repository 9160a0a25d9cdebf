/** What goes over the wire: order and headers of the parts, JSON, digests, length; read by this test's own cut and by Python's. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { decodeFrames, parseDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { encodePng, readNpy } from '@isocenter/formats';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWithPython } from '../../../../../tools/test/needs.js';
import { run, Workplace } from '../../run-cli.suite.js';
import { type AnswerPlan, type Received, sha256, startService } from './service.suite.js';

const workplace = new Workplace();
const service = await startService();
const { files } = await makePhantom({ size: [16, 12, 3], spacing: [30, 30, 80] });
const studyUID = parseDicom(files[0].bytes).dataset.string('StudyInstanceUID');
const seriesUID = parseDicom(files[0].bytes).dataset.string('SeriesInstanceUID');
afterAll(async () => {
  await service.close();
  workplace.remove();
});

beforeEach(() => {
  for (const folder of ['in', 'out']) rmSync(workplace.path(folder), { recursive: true, force: true });
  mkdirSync(workplace.path('in'));
  for (const { name, bytes } of files) writeFileSync(workplace.path('in', name), bytes);
  service.plan = {};
});

async function request(...args: string[]) {
  const ran = await run('request', 'arterys', '-p', String(service.port), '-o', workplace.path('out'), ...args);
  return { ...ran, sent: service.received.at(-1) as Received };
}

const names = () => readdirSync(workplace.path('out')).sort();

describe('the request', () => {
  it('is the JSON and the images, framed as the protocol has it, with its length', async () => {
    const { status, sent } = await request(workplace.path('in'));
    expect(status).toBe(0);
    expect([sent.method, sent.url]).toEqual(['POST', '/']);
    const boundary = /^multipart\/related; boundary="([0-9a-f]{32})"$/.exec(sent.headers['content-type'] ?? '')?.[1];
    const head = (name: number | string, file: string, type: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${file}"\r\nContent-Type: ${type}\r\n\r\n`;
    const expected = Buffer.concat([
      Buffer.from(`${head('request_json', 'request', 'text/json')}{"studyUID": "${studyUID}"}\r\n`),
      ...files.flatMap(({ name, bytes }, at) => [
        Buffer.from(head(at + 1, name, 'application/dicom')),
        bytes,
        Buffer.from('\r\n'),
      ]),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
    expect(sent.body.equals(expected)).toBe(true);
    expect(sent.headers['content-length']).toBe(String(expected.length));
    expect(sent.headers['transfer-encoding']).toBeUndefined();
  });

  it('has attachments before the images, in one count, and every option as text in the JSON', async () => {
    writeFileSync(workplace.path('model.bin'), 'weights');
    writeFileSync(workplace.path('notes.zip'), 'PK no zip');
    const { status, sent } = await request(
      ...['-i', workplace.path('in'), '-r', '/models/lung', '-S', '-c', 'get-bounding-box-2d'],
      ...['-R', 'mode=a=b', 'count=3', 'name=Größe', '-a', workplace.path('model.bin'), workplace.path('notes.zip')],
    );
    expect(status).toBe(0);
    expect(sent.url).toBe('/models/lung');
    expect(sent.parts[0].body.toString('latin1')).toBe(
      `{"studyUID": "${studyUID}", "inference_command": "get-bounding-box-2d", "depth": 3, "height": 12, "width": 16, "mode": "a=b", "count": "3", "name": "Gr\\u00f6\\u00dfe"}`,
    );
    expect(
      sent.parts.map(({ head }) => /name="(.*?)"; filename="(.*?)"\r\nContent-Type: (.*)/.exec(head)?.slice(1)),
    ).toEqual([
      ['request_json', 'request', 'text/json'],
      ['1', 'model.bin', 'application/octet-stream'],
      ['2', 'notes.zip', 'application/octet-stream'],
      ['3', 'image-0001.dcm', 'application/dicom'],
      ['4', 'image-0002.dcm', 'application/dicom'],
      ['5', 'image-0003.dcm', 'application/dicom'],
    ]);
    expect(sent.parts[2].body.toString()).toBe('PK no zip');
  });

  it('is only JSON where the service reads the study itself', async () => {
    const { status, sent, stdout } = await request('--request_study_path', '/data/study 1', '-c', 'x');
    expect(status).toBe(0);
    expect(sent.headers['content-type']).toBe('application/json');
    expect(JSON.parse(sent.body.toString())).toEqual({ inference_command: 'x', studyPath: '/data/study 1' });
    expect(stdout).toContain('keeps every rule');
  });

  it('leaves out what is no image, and says so', async () => {
    writeFileSync(workplace.path('in', 'readme.txt'), 'hello');
    writeFileSync(workplace.path('in', 'broken.dcm'), files[0].bytes.subarray(0, 900));
    const { sent, stdout } = await request(workplace.path('in'));
    expect(sent.parts).toHaveLength(4);
    expect(stdout).toMatch(/Note: readme\.txt is left out/);
    expect(stdout).toMatch(/Note: broken\.dcm is left out/);
  });
});

describe('pictures', () => {
  it('are sent as DICOM with their pixels, the same bytes every time', async () => {
    rmSync(workplace.path('in'), { recursive: true });
    mkdirSync(workplace.path('in'));
    const grey = Uint8Array.from({ length: 20 * 10 }, (_, at) => at);
    const colour = Uint8Array.from({ length: 20 * 10 * 3 }, (_, at) => (at * 7) % 256);
    const deep = Uint16Array.from({ length: 20 * 10 }, (_, at) => at * 300);
    writeFileSync(workplace.path('in', 'a.png'), encodePng({ width: 20, height: 10, channels: 1, data: grey }));
    writeFileSync(workplace.path('in', 'b.png'), encodePng({ width: 20, height: 10, channels: 3, data: colour }));
    writeFileSync(workplace.path('in', 'c.png'), encodePng({ width: 20, height: 10, channels: 1, data: deep }));
    const first = await request(workplace.path('in'), '-l');
    expect(first.status).toBe(0);
    const images = first.sent.parts.slice(1).map(({ body }) => parseDicom(body));
    const decoded = await Promise.all(images.map(decodeFrames));
    expect(decoded.map(({ data }) => data)).toEqual([grey, colour, deep]);
    expect(decoded.map(({ photometric }) => photometric)).toEqual(['MONOCHROME2', 'RGB', 'MONOCHROME2']);
    expect(new Set(images.map(({ dataset }) => dataset.string('SOPInstanceUID'))).size).toBe(3);
    expect(new Set(images.map(({ dataset }) => dataset.string('SeriesInstanceUID'))).size).toBe(1);
    expect(names()).toEqual(['0_a.png.png', '1_b.png.png', '2_c.png.png', 'report.json', 'response.json']);
    const second = await request(workplace.path('in'), '-l');
    expect(second.sent.parts.map(({ body }) => sha256([body]))).toEqual(
      first.sent.parts.map(({ body }) => sha256([body])),
    );
  });

  it('as JPEG are decoded before they are sent', async () => {
    rmSync(workplace.path('in'), { recursive: true });
    mkdirSync(workplace.path('in'));
    writeFileSync(workplace.path('in', 'a.jpg'), TINY_JPEG);
    const { sent, status } = await request(workplace.path('in'));
    expect(status).toBe(0);
    const { data, photometric, rows, columns } = await decodeFrames(parseDicom(sent.parts[1].body));
    expect({ photometric, rows, columns }).toEqual({ photometric: 'MONOCHROME2', rows: 8, columns: 8 });
    // A block of one grey value: DC only.
    expect(new Set(data)).toEqual(new Set([128]));
  });
});

/** Eight by eight pixels of grey 128, written by hand (T.81): all coefficients zero, one-bit codes for "0" and end of block. */
const TINY_JPEG = Buffer.concat([
  Buffer.from('ffd8', 'hex'),
  Buffer.from(`ffdb004300${'01'.repeat(64)}`, 'hex'),
  Buffer.from('ffc0000b080008000801011100', 'hex'),
  Buffer.from(`ffc4001400${'01'}${'00'.repeat(15)}00`, 'hex'),
  Buffer.from(`ffc4001410${'01'}${'00'.repeat(15)}00`, 'hex'),
  Buffer.from('ffda0008010100003f00', 'hex'),
  // Bits 0 (no DC difference) and 0 (end of block), then ones.
  Buffer.from('3fffd9', 'hex'),
]);

describe('the answer on disk', () => {
  const plan: AnswerPlan = {
    json: {
      protocol_version: '1.0',
      parts: [
        {
          label: 'lung',
          binary_type: 'boolean_mask',
          binary_data_shape: { timepoints: 1, depth: 3, width: 16, height: 12 },
          SeriesInstanceUID: seriesUID,
        },
        { label: 'page', binary_type: 'dicom_secondary_capture' },
        {
          label: 'heart',
          binary_type: 'probability_mask',
          binary_data_shape: { timepoints: 1, depth: 3, width: 16, height: 12 },
          SeriesInstanceUID: seriesUID,
        },
        { label: 'report', binary_type: 'dicom' },
      ],
    },
    binaries: [
      { body: Uint8Array.from({ length: 576 }, (_, at) => at % 2) },
      { type: 'application/dicom', body: files[1].bytes },
      { body: Uint8Array.from({ length: 576 }, (_, at) => at % 256) },
      { type: 'application/dicom', body: files[2].bytes },
    ],
  };
  const own = (name: string) => readFileSync(workplace.path('out', name));

  it('is what came: JSON, masks as bare bytes, DICOM objects wherever they stand among the parts', async () => {
    service.plan = plan;
    expect((await request(workplace.path('in'))).status).toBe(0);
    expect(JSON.parse(own('response.json').toString())).toEqual(plan.json);
    expect(own('output_masks_1.npy').equals(plan.binaries?.[0].body as Uint8Array)).toBe(true);
    expect(own('output_masks_2.npy').equals(plan.binaries?.[2].body as Uint8Array)).toBe(true);
    expect(own('sc_0.dcm').equals(files[1].bytes)).toBe(true);
    expect(own('sc_1.dcm').equals(files[2].bytes)).toBe(true);
    expect(names().filter((name) => name.endsWith('.png'))).toEqual([
      '0_image-0001.dcm.png',
      '1_image-0002.dcm.png',
      '2_image-0003.dcm.png',
    ]);
  });

  it('has masks with their shape with --npy', async () => {
    service.plan = plan;
    await request(workplace.path('in'), '--npy');
    const mask = readNpy(own('output_masks_2.npy'));
    expect(mask.shape).toEqual([1, 3, 12, 16]);
    expect(Buffer.from(mask.data as Uint8Array).equals(plan.binaries?.[2].body as Uint8Array)).toBe(true);
  });

  it('has nothing left of the request before, and leaves alone what is not ours', async () => {
    service.plan = plan;
    await request(workplace.path('in'));
    writeFileSync(workplace.path('out', '7_notes.png'), 'mine');
    service.plan = {};
    await request(workplace.path('in'));
    expect(names()).toEqual(['7_notes.png', 'report.json', 'response.json']);
  });
});

describeWithPython(['email', 'json'], 'a multipart decoder that is not ours', (python) => {
  it('reads the same parts in the request', async () => {
    const { sent } = await request(workplace.path('in'));
    writeFileSync(
      workplace.path('body'),
      Buffer.concat([Buffer.from(`Content-Type: ${sent.headers['content-type']}\r\n\r\n`), sent.body]),
    );
    const script = `
import email, hashlib, json, sys
from email import policy
message = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=policy.HTTP)
parts = message.get_payload()
print(json.dumps([[p.get_content_type(), p.get_filename(), p.get_param('name', header='content-disposition'), hashlib.sha256(p.get_payload(decode=True)).hexdigest()] for p in parts]))`;
    const read = spawnSync(python, ['-c', script, workplace.path('body')], { encoding: 'utf8' });
    expect(read.stderr).toBe('');
    // The decoder of e-mail turns line ends into its own, so that only parts without CRLF can be compared whole.
    const found = JSON.parse(read.stdout) as string[][];
    expect(found.map(([type, file, name]) => [type, file, name])).toEqual([
      ['text/json', 'request', 'request_json'],
      ...files.map(({ name }, at) => ['application/dicom', name, String(at + 1)]),
    ]);
    expect(found[0][3]).toBe(sha256([sent.parts[0].body]));
  });
});

describeWithPython(['requests_toolbelt'], "the decoder that this protocol's gateways use", (python) => {
  it('reads the same bytes in the request', async () => {
    const { sent } = await request(workplace.path('in'));
    writeFileSync(workplace.path('body'), sent.body);
    const script = `
import hashlib, json, sys
from requests_toolbelt.multipart import decoder
parts = decoder.MultipartDecoder(open(sys.argv[1], 'rb').read(), sys.argv[2]).parts
print(json.dumps([hashlib.sha256(p.content).hexdigest() for p in parts]))`;
    const read = spawnSync(python, ['-c', script, workplace.path('body'), sent.headers['content-type'] ?? ''], {
      encoding: 'utf8',
    });
    expect(JSON.parse(read.stdout)).toEqual(sent.parts.map(({ body }) => sha256([body])));
  });
});
