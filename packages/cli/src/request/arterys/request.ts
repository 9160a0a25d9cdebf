/** The whole of `isocenter request arterys`: send, read, hold against the rules, write what came and pictures of it. */
import { readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ByteSource, fileSource, OutputFolder, writeNpy } from '@isocenter/formats';
import type { Watch } from '@isocenter/volume';
import { checkEnvelope, DICOM_TYPE, type Opened } from './check-envelope.js';
import { type AnswerSaying, checkJson } from './check-json.js';
import { type CheckedPart, checkParts } from './check-parts.js';
import { drawPages, type WriteFile } from './draw-pages.js';
import { answerText, exchange } from './exchange.js';
import { type Fault, Faults } from './faults.js';
import { type InputImages, readInputImages } from './input-images.js';
import { isCount, isObject } from './json-shapes.js';
import { type PlacedLine, placeLines } from './place-line.js';
import { type Answer, readAnswer } from './read-answer.js';
import { jsonBody, multipartBody, type RequestBody, requestJson } from './request-body.js';
import { RequestError, RequestInputError } from './request-error.js';
import { SentImages } from './sent-images.js';

export interface ArterysRequest {
  readonly url: URL;
  /** Folder, zip or file of images; may lack when the service reads the study by `studyPath` itself. */
  readonly input?: string;
  readonly output: string;
  readonly attachments: readonly string[];
  readonly studySize: boolean;
  readonly command?: string;
  readonly labels: boolean;
  readonly studyPath?: string;
  readonly options: Readonly<Record<string, string>>;
  readonly npy: boolean;
  readonly key?: string;
  readonly timeoutMs?: number;
}

export interface ArterysReport {
  readonly kind: 'arterys-request';
  readonly valid: boolean;
  readonly images: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly milliseconds: { readonly read: number; readonly answer: number; readonly draw: number };
  readonly digests: { readonly request: string | undefined; readonly proven: boolean };
  readonly parts: readonly PartRow[];
  readonly study: object | undefined;
  readonly series: Readonly<Record<string, object>>;
  readonly boxes: number;
  readonly measurements: number;
  readonly faults: readonly Fault[];
  readonly notes: readonly string[];
  readonly files: readonly string[];
}

export interface PartRow {
  readonly label: string;
  readonly type: string;
  readonly shape: string;
  readonly bytes: number;
  readonly largest: number | undefined;
  /** Planes that are not empty, of all; undefined where it lies on no image. */
  readonly filled: number | undefined;
  readonly planes: number | undefined;
}

/** Characters of an HTTP error's body that are shown. */
const SHOWN_BODY = 2000;
const REPORT = 'report.json';
const KIND = 'arterys-request';

/** Throws RequestError, RequestInputError, ArchiveError, OutputError; a wrong answer is told in the report. */
export async function requestArterys(request: ArterysRequest, watch: Watch = {}): Promise<ArterysReport> {
  // Before anything is sent: a model that has worked for minutes must not end at a folder that cannot be written to.
  const folder = await OutputFolder.create(request.output);
  let input: InputImages | undefined;
  try {
    const began = performance.now();
    input = request.input === undefined ? undefined : await readInputImages(request.input, watch);
    const body = await bodyOf(request, input);
    const sending = performance.now();
    const message = await exchange({ ...request, method: 'POST', body }, watch);
    if (message.statusCode !== 200)
      throw new RequestError(
        'http-status',
        `The service answers HTTP ${message.statusCode} ${message.statusMessage ?? ''}`.trim(),
        {
          where: request.url.pathname,
          next: `It says: ${(await answerText(message, SHOWN_BODY)).trim() || '(nothing)'}`,
        },
      );
    const answer = await readAnswer(message, watch);
    const drawing = performance.now();
    const judged = judge(answer, body, input);
    const notes = [...(input?.notes ?? [])];
    const written: string[] = [];
    const write: WriteFile = async (name, bytes) => {
      await folder.write(name, bytes);
      written.push(name);
    };
    await writeParts(write, answer, judged, request.npy);
    if (judged.saying && judged.sent)
      notes.push(...(await drawPages(judged.sent, { ...judged, saying: judged.saying }, request, write, watch)));
    const report: Omit<ArterysReport, 'files'> = {
      kind: KIND,
      valid: judged.faults.errors === 0,
      images: input?.images.length ?? 0,
      requestBytes: body.length,
      answerBytes: answer.bytes,
      milliseconds: { read: sending - began, answer: drawing - sending, draw: performance.now() - drawing },
      digests: {
        request: body.digest(),
        proven: judged.opened.digests !== undefined && !judged.faults.list.some(({ part }) => part === 'hashes'),
      },
      parts: judged.parts.map(rowOf),
      study: judged.saying?.study,
      series: Object.fromEntries(judged.saying?.series ?? []),
      boxes: judged.saying?.boxes.length ?? 0,
      measurements: judged.saying?.lines.length ?? 0,
      faults: judged.faults.list,
      notes,
    };
    return { ...report, files: await finish(folder, request.output, written, report) };
  } catch (error) {
    await folder.discard();
    throw error;
  } finally {
    await input?.close();
  }
}

async function bodyOf(request: ArterysRequest, input: InputImages | undefined): Promise<RequestBody> {
  const images = input?.images ?? [];
  const first = images[0]?.instance;
  const frames = images.reduce((sum, { instance }) => sum + instance.frames, 0);
  const size: Record<string, number> =
    request.studySize && first ? { depth: frames, height: first.rows, width: first.columns } : {};
  const json = requestJson({
    ...(first ? { studyUID: first.StudyInstanceUID } : {}),
    ...(request.command === undefined ? {} : { inference_command: request.command }),
    ...size,
    ...(request.studyPath === undefined ? {} : { studyPath: request.studyPath }),
    ...request.options,
  });
  if (request.studyPath !== undefined) return jsonBody(json);
  return multipartBody(json, await Promise.all(request.attachments.map(attachment)), images);
}

async function attachment(path: string): Promise<ByteSource> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return fileSource(path, info.size, basename(path));
  throw new RequestInputError('no-attachment', 'There is no such file to attach', {
    where: path,
    next: 'Check the path.',
  });
}

interface Judged {
  readonly opened: Opened;
  readonly parts: readonly CheckedPart[];
  readonly saying: AnswerSaying | undefined;
  readonly sent: SentImages | undefined;
  readonly lines: readonly PlacedLine[];
  readonly faults: Faults;
}

function judge(answer: Answer, body: RequestBody, input: InputImages | undefined): Judged {
  const faults = new Faults();
  const sent = input && new SentImages(input.images);
  const opened = checkEnvelope(answer, body.digest(), faults);
  const saying = opened.json && checkJson(opened.json, sent, faults);
  const parts = checkParts(opened.json?.parts, opened.binaries, {
    palettes: saying?.paletteNames ?? new Set(),
    sent,
    studyUID: input?.images[0].instance.StudyInstanceUID,
    faults,
  });
  const lines = saying && sent ? placeLines(saying.lines, sent, faults) : [];
  return { opened, parts, saying, sent, lines, faults };
}

/** What came, as it came: also what broke a rule, since somebody has to look at it. */
async function writeParts(write: WriteFile, answer: Answer, { opened, parts }: Judged, npy: boolean): Promise<void> {
  if (answer.parts[0]) await write('response.json', answer.parts[0].body);
  let masks = 0;
  let objects = 0;
  for (const [at, { headers, body }] of opened.binaries.entries()) {
    const part = parts[at];
    const dicom = part?.type ? part.dicom : headers.get('content-type')?.toLowerCase().startsWith(DICOM_TYPE);
    if (dicom) await write(`sc_${objects++}.dcm`, body);
    else await write(`output_masks_${++masks}.npy`, npy ? writeNpy(body, shapeOf(part, body)) : body);
  }
}

/** NumPy's order: the fastest axis last. Bytes that do not fill their shape are a line. */
function shapeOf(part: CheckedPart | undefined, body: Uint8Array): readonly number[] {
  const shape = part && sizesOf(part);
  return shape && shape.reduce((product, n) => product * n, 1) === body.length ? shape : [body.length];
}

function sizesOf({ entry: { binary_data_shape: shape } }: CheckedPart): readonly number[] | undefined {
  if (!isObject(shape)) return undefined;
  const sizes = ['timepoints', 'depth', 'height', 'width']
    .map((key) => shape[key])
    .filter((size) => size !== undefined);
  return sizes.every(isCount) ? sizes : undefined;
}

function rowOf(part: CheckedPart): PartRow {
  const { label, type, body, placed, dicom } = part;
  const planes =
    placed && body ? placed.slots.map((_, at) => body.subarray(at * placed.plane, (at + 1) * placed.plane)) : [];
  return {
    label,
    type,
    shape: sizesOf(part)?.join(' × ') ?? '',
    bytes: body?.length ?? 0,
    largest: dicom || !body ? undefined : largestOf(body),
    filled: placed ? planes.filter((plane) => plane.some((value) => value !== 0)).length : undefined,
    planes: placed?.slots.length,
  };
}

function largestOf(values: Uint8Array): number {
  let largest = 0;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

/** Files of an earlier request that this one did not write again would be taken for its own: they are removed. */
async function finish(folder: OutputFolder, path: string, names: readonly string[], report: object): Promise<string[]> {
  const earlier = await earlierFiles(path);
  await folder.write(REPORT, Buffer.from(JSON.stringify({ ...report, files: [...names, REPORT] }, undefined, 2)));
  const files = await folder.commit();
  const written = new Set([...names, REPORT]);
  for (const name of earlier) if (!written.has(name)) await rm(join(path, name), { force: true });
  return files;
}

/** Only names that we write ourselves: a report is a file that anybody may have changed. */
const OURS = /^(response\.json|output_masks_\d+\.npy|sc_\d+\.dcm|\d+_[A-Za-z0-9._-]+\.png)$/;

async function earlierFiles(path: string): Promise<string[]> {
  try {
    const report: unknown = JSON.parse(await readFile(join(path, REPORT), 'utf8'));
    if (!isObject(report) || report.kind !== KIND || !Array.isArray(report.files)) return [];
    return report.files.filter((name): name is string => typeof name === 'string' && OURS.test(name));
  } catch {
    return [];
  }
}
