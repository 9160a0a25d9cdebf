/**
 * Clients of the three old products, each with a study whose right answer is known, that go on through an outage: what was
 * acknowledged must come, and must be right; what was not may be sent again.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { parseDicom } from '@isocenter/dicom';
import { ask, readAnswer, requestBody } from '../protocols/arterys/arterys.suite.js';
import { askAt, entriesOf, PASS_THROUGH, phantom, zipOf } from '../protocols/innereye/innereye.suite.js';
import { channel, inputOf, SegintClient } from '../protocols/segint/segint.suite.js';
import { decodeMessage } from '../registry/segint/decode-message.js';
import {
  ModelOutputSchema,
  SegmentationProgressSchema,
  SegmentationTaskSchema,
} from '../registry/segint/messages/Model.generated.js';

/** An acknowledged job is waited for so long, an outage included. */
const PATIENCE_MS = 300_000;
const PAUSE_MS = 50;

export interface Tally {
  /** Answers that were whole and right. */
  right: number;
  /** Requests that got no answer, or were told to come back. */
  later: number;
  /** Fetches of SegInt whose connection broke, and whose result was gone after that: it is given out once. */
  givenOnce: number;
  readonly wrong: string[];
}

export interface OldClients {
  readonly tallies: Readonly<Record<'innereye' | 'segint' | 'arterys', Tally>>;
  /** No further request; resolves when all that was acknowledged has come. */
  stop(): Promise<void>;
}

/** `url` stays the same through the outage. */
export async function startOldClients(url: string, clients: number): Promise<OldClients> {
  const tallies = { innereye: tally(), segint: tally(), arterys: tally() };
  const innereye = await innereyeClient(url, tallies.innereye);
  const segint = await segintClient(url, tallies.segint);
  const arterys = await arterysClient(url, tallies.arterys);
  const kinds = [
    { turn: innereye, tally: tallies.innereye },
    { turn: segint, tally: tallies.segint },
    { turn: arterys, tally: tallies.arterys },
  ];
  let stopping = false;
  const run = async ({ turn, tally: its }: (typeof kinds)[number]) => {
    while (!stopping) {
      try {
        await turn();
      } catch (error) {
        if (error instanceof Later) its.later++;
        else its.wrong.push(String(error));
        await sleep(PAUSE_MS);
      }
    }
  };
  const running = Array.from({ length: clients }, (_, n) => run(kinds[n % kinds.length]!));
  return {
    tallies,
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
  };
}

function tally(): Tally {
  return { right: 0, later: 0, givenOnce: 0, wrong: [] };
}

/** No answer, or one that says "come back". */
class Later extends Error {}

/** The answer of one request; Later when the connection fails or the server is on its way. */
async function attempt<T extends { readonly status: number }>(request: () => Promise<T>): Promise<T> {
  let answer: T;
  try {
    answer = await request();
  } catch (error) {
    throw new Later(String(error));
  }
  if (answer.status === 503) throw new Later('503');
  return answer;
}

/** For what was acknowledged: the first answer that `done` takes. */
async function persist<T extends { readonly status: number }>(
  request: () => Promise<T>,
  done: (answer: T) => boolean,
): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(PAUSE_MS)) {
    const answer = await attempt(request).catch((error) => {
      if (error instanceof Later) return undefined;
      throw error;
    });
    if (answer && done(answer)) return answer;
  }
  throw new Error('what was acknowledged did not come');
}

function expectStatus(what: string, { status }: { readonly status: number }, wanted: number): void {
  if (status !== wanted) throw new Error(`${what}: status ${status}, not ${wanted}`);
}

/** PassThroughModel; right is what the first run said, which the other tests hold against the truth. */
async function innereyeClient(url: string, its: Tally): Promise<() => Promise<void>> {
  const zip = await zipOf(await phantom());
  let expected: string | undefined;
  const turn = async () => {
    const started = await attempt(() => askAt(url, `/v1/model/start/${PASS_THROUGH}`, { method: 'POST', body: zip }));
    expectStatus('InnerEye start', started, 201);
    const run = started.body.toString();
    const ended = await persist(
      () => askAt(url, `/v1/model/results/${run}`),
      ({ status }) => status !== 202,
    );
    expectStatus('InnerEye results', ended, 200);
    const [entry, ...others] = await entriesOf(ended.body);
    if (others.length > 0 || entry?.name !== 'segmentation.dcm') throw new Error('InnerEye: not the one file');
    const said = contoursOf(entry.bytes);
    expected ??= said;
    if (said !== expected) throw new Error('InnerEye: other contours than before');
    its.right++;
  };
  await turn();
  return turn;
}

function contoursOf(rtstruct: Uint8Array): string {
  const { dataset } = parseDicom(rtstruct);
  const names = dataset.items('StructureSetROISequence').map((roi) => roi.string('ROIName'));
  if (names.join() !== 'SpinalCord,Lung_R,Lung_L,Heart,Esophagus') throw new Error(`InnerEye: ROIs ${names}`);
  const hash = createHash('sha256');
  let contours = 0;
  for (const roi of dataset.items('ROIContourSequence'))
    for (const contour of roi.items('ContourSequence')) {
      contours++;
      hash.update(`${roi.string('ReferencedROINumber')} ${contour.strings('ContourData').join('\\')}\n`);
    }
  if (contours === 0) throw new Error('InnerEye: no contours');
  return hash.digest('hex');
}

/** The phantom of specs/protocols.md 3.7 on 128 × 100 × 8: x 34–93, y 20–79, z 2–5. */
async function segintClient(url: string, its: Tally): Promise<() => Promise<void>> {
  const [w, h, d] = [128, 100, 8] as const;
  const input = inputOf(channel([w, h, d]));
  const expected = Buffer.alloc(w * h * d);
  for (let k = 2; k <= 5; k++)
    for (let j = 20; j <= 79; j++) expected.fill(1, 34 + w * (j + h * k), 94 + w * (j + h * k));
  const client = new SegintClient({ url, logged: [] });
  const send = (method: string, path: string, body?: Uint8Array<ArrayBuffer>) => async () => {
    const answer = await client.ask(method, path, body ? { body } : {});
    return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
  };
  return async () => {
    const started = await attempt(send('POST', client.path, input));
    expectStatus('SegInt start', started, 200);
    const { SegmentationID: id } = decodeMessage(SegmentationTaskSchema, started.bytes);
    await persist(send('GET', `${client.path}/${id}`), ({ status, bytes }) => {
      expectStatus('SegInt progress', { status }, 200);
      const { Progress, Errors, ErrorCode } = decodeMessage(SegmentationProgressSchema, bytes);
      if (ErrorCode !== 0) throw new Error(`SegInt: ${ErrorCode} ${Errors}`);
      return Progress === 100;
    });
    let broken = false;
    const fetched = await persist(
      async () => {
        try {
          return await send('GET', `${client.path}/${id}/result`)();
        } catch (error) {
          broken = true;
          throw error;
        }
      },
      () => true,
    );
    if (broken && fetched.status === 400) {
      its.givenOnce++;
      return;
    }
    expectStatus('SegInt result', fetched, 200);
    const { Channels, ModelID } = decodeMessage(ModelOutputSchema, fetched.bytes);
    const data = Channels[0]?.Volume?.Data;
    if (ModelID !== 'Centered Orange Square' || Channels.length !== 1 || !data || !gunzipSync(data).equals(expected))
      throw new Error('SegInt: another phantom');
    its.right++;
  };
}

/** ct-basic at once; right is what the first answer said, frame and hashes included. */
async function arterysClient(url: string, its: Tally): Promise<() => Promise<void>> {
  const body = requestBody((await phantom({ size: [48, 48, 6], spacing: [9, 9, 40] })).map(({ bytes }) => bytes));
  let expected: string | undefined;
  const turn = async () => {
    const answer = await attempt(() => ask(url, '/', { body }));
    const { jsonText, bodies, hashes } = readAnswer(answer);
    const hash = createHash('sha256').update(jsonText);
    for (const mask of bodies) hash.update(mask);
    const said = hash.digest('hex');
    if (hashes.split(':')[1] !== said) throw new Error('Arterys: the hash is not that of the answer');
    expected ??= said;
    if (said !== expected) throw new Error('Arterys: another answer than before');
    its.right++;
  };
  await turn();
  return turn;
}
