/**
 * The four mock modes as a process of their own, byte for byte as specs/protocols.md 4.3 and 4.5 have them. Upstream's three
 * MR slices are not at hand: ours have the same size and UIDs of the same length, so every length is upstream's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../../../tools/test/needs.js';
import { ask, B, JSON_TEXT, readAnswer, requestBody, sha256 } from './arterys.suite.js';

const SERIES = `1.2.826.0.1.3680043.2.1143.${'7'.repeat(37)}`;
const SYNTAX = '1.2.840.10008.1.2.1';
/** Upstream's boundary is `b'…'`, three characters more at each of its four places. */
const CLEAN = 4 * 3;

async function slices(columns: number, UIDs: readonly string[]): Promise<Uint8Array[]> {
  const { files } = await makePhantom({ kind: 'head', size: [columns, columns, UIDs.length] });
  return files.map(({ bytes }, n) => {
    const { dataset } = parseDicom(bytes);
    dataset.set('SeriesInstanceUID', SERIES).set('SOPInstanceUID', UIDs[n]!);
    return writeDicom(dataset, { transferSyntaxUID: SYNTAX });
  });
}

const uidOf = (length: number, last: number) => `1.2.826.${'5'.repeat(length - 9)}${last}`;

describe('the mock server', () => {
  const running: ChildProcess[] = [];
  let mr: Uint8Array[] = [];
  beforeAll(async () => {
    mr = await slices(
      512,
      [1, 2, 3].map((n) => uidOf(64, n)),
    );
  }, 60_000);
  afterAll(async () => {
    for (const child of running.filter(({ exitCode }) => exitCode === null)) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
  });

  /** Its address, when it says that it listens. */
  function start(...flags: string[]): Promise<string> {
    const script = join(repositoryRoot, 'examples/arterys/mock-server.mjs');
    const child = spawn(process.execPath, [script, ...flags, '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
    running.push(child);
    return new Promise((resolve, refuse) => {
      let said = '';
      child.stdout!.on('data', (chunk: Buffer) => {
        said += chunk;
        const url = /listening on (\S+)/.exec(said)?.[1];
        if (url) resolve(url);
      });
      child.once('exit', (code) => refuse(new Error(`it ended with ${code}`)));
    });
  }

  it('answers -s3D with a growing block, in the layout, with the hashes and lengths of upstream', async () => {
    const url = await start('-s3D');
    const answer = await ask(url, '/', { body: requestBody(mr) });
    const { json, jsonText, bodies, parts, hashes } = readAnswer(answer);
    expect(answer.headers['content-type']).toBe(`multipart/related; boundary=${B}`);
    expect(parts.map(({ lines }) => lines)).toEqual([
      ['Content-Disposition: form-data; name="json-body"; filename="json-body"', 'Content-Type: application/json'],
      ['Content-Disposition: form-data; name="elem_0"; filename="elem_0"', 'Content-Type: application/binary'],
      ['Content-Disposition: form-data; name="hashes"; filename="hashes"', 'Content-Type: text/plain'],
    ]);
    expect(jsonText).toBe(
      '{"protocol_version": "1.0", "parts": [{"label": "Mock seg", "binary_type": "probability_mask", ' +
        '"binary_data_shape": {"timepoints": 1, "depth": 3, "width": 512, "height": 512}, ' +
        `"SeriesInstanceUID": "${SERIES}"}]}`,
    );
    expect(jsonText).toHaveLength(266);
    expect(answer.body).toHaveLength(787_293 - CLEAN);
    expect(hashes).toBe(`${sha256(JSON_TEXT, ...mr)}:${sha256(jsonText, bodies[0]!)}`);
    expect(json.parts).toHaveLength(1);
    const counts = [0, 1, 2].map((s) => {
      const mask = bodies[0]!.subarray(s * 512 * 512, (s + 1) * 512 * 512);
      const rows = [...mask.keys()].filter((at) => mask[at] === 255).map((at) => Math.floor(at / 512));
      return [rows.length, rows[0], rows.at(-1)];
    });
    expect(counts).toEqual([
      [0, undefined, undefined],
      [28_900, 171, 340],
      [115_600, 86, 425],
    ]);
  });

  it('answers -b with one box', async () => {
    const answer = await ask(await start('-b'), '/', { body: requestBody(mr) });
    const { json, jsonText, bodies } = readAnswer(answer);
    expect(bodies).toEqual([]);
    expect(json.bounding_boxes_2d).toEqual([
      { label: 'super bbox', SOPInstanceUID: uidOf(64, 1), top_left: [5, 5], bottom_right: [10, 10] },
    ]);
    expect(jsonText).toHaveLength(220);
    expect(answer.body).toHaveLength(672 - 3 * 3);
  });

  it('answers -cl with what it says of series and study', async () => {
    const answer = await ask(await start('-cl'), '/', { body: requestBody(mr) });
    const { json, jsonText } = readAnswer(answer);
    expect(json.series_ml_json[SERIES]).toMatchObject({ label: 'healthy', value: '0.9' });
    expect(json.study_ml_json).toEqual({ label1: 'condition1', label2: 'condition2' });
    expect(jsonText).toHaveLength(316);
    expect(answer.body).toHaveLength(768 - 3 * 3);
  });

  it('answers -s2D with one empty mask an image', async () => {
    // Three UIDs of 163 characters together, as upstream's images have them.
    const UIDs = [uidOf(54, 1), uidOf(54, 2), uidOf(55, 3)];
    const answer = await ask(await start('-s2D'), '/', { body: requestBody(await slices(1024, UIDs)) });
    const { json, jsonText, bodies } = readAnswer(answer);
    expect(
      json.parts.map((part: { dicom_image: { SOPInstanceUID: string } }) => part.dicom_image.SOPInstanceUID),
    ).toEqual(UIDs);
    expect(bodies.map((mask) => [mask.length, mask.every((value) => value === 0)])).toEqual(
      Array(3).fill([1024 * 1024, true]),
    );
    expect(jsonText).toHaveLength(654);
    expect(answer.body).toHaveLength(3_147_263 - 6 * 3);
  });

  it('starts with exactly one mode', async () => {
    await expect(start()).rejects.toThrow('ended with 2');
    await expect(start('-b', '-cl')).rejects.toThrow('ended with 2');
  });
});
