/** A server with InnerEye-Inference for tests, and its client: answers as they came over the wire, header by header. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makePhantom, type PhantomOptions } from '@isocenter/engine';
import { openSources, writeZip, type ZipContent } from '@isocenter/formats';
import type { RestServer, RestServerOptions } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { innereye } from './routes.js';

export const SECRET = 'a shared secret of clients';
export const PASS_THROUGH = 'PassThroughModel:1729';
export const LUNG1_SLICES = 134;
const LONGEST_MS = 240_000;

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Ask {
  readonly method?: string;
  /** Undefined: the shared secret; null: none; a list: the header as often. */
  readonly secret?: string | readonly string[] | null;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string;
}

export type InnerEyeServer = RestServer & {
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** Run id of an upload that must be taken. */
  start(zip: Uint8Array, model?: string, secret?: string): Promise<string>;
  /** The first answer that is no 202; each 202 is looked at. */
  ended(runId: string, secret?: string): Promise<Answer>;
};

export async function innereyeServer(options: RestServerOptions = {}): Promise<InnerEyeServer> {
  const flags = { innereyeSecret: SECRET, ...options.flags };
  const server = await protocolServer([innereye], { ...options, flags });
  const ask = (path: string, wish: Ask = {}) => askAt(server.url, path, wish);
  const start: InnerEyeServer['start'] = async (zip, model = PASS_THROUGH, secret = SECRET) => {
    const answer = await ask(`/v1/model/start/${model}`, { method: 'POST', body: zip, secret });
    if (answer.status !== 201) throw new Error(`start answered ${answer.status} ${answer.reason}`);
    return answer.body.toString();
  };
  return Object.assign(server, {
    ask,
    start,
    ended: (runId: string, secret = SECRET) => endedAt(server.url, runId, secret),
  });
}

export async function endedAt(url: string, runId: string, secret = SECRET): Promise<Answer> {
  for (const until = Date.now() + LONGEST_MS; Date.now() < until; await delay(50)) {
    const answer = await askAt(url, `/v1/model/results/${runId}`, { secret });
    if (answer.status !== 202) return answer;
    if (answer.body.length > 0) throw new Error('a 202 had a body');
    if (answer.headers['content-type'] !== 'text/html; charset=utf-8') throw new Error('a 202 of another type');
  }
  throw new Error('the run did not end');
}

export function askAt(
  url: string,
  path: string,
  { method = 'GET', secret, headers = {}, body }: Ask = {},
): Promise<Answer> {
  const given = secret === undefined ? SECRET : secret;
  return new Promise((resolve, reject) => {
    const request = httpRequest(url + path, {
      method,
      agent: false,
      headers: {
        ...(given === null ? {} : { API_AUTH_SECRET: given as string }),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...(headers as Record<string, string>),
      },
    });
    request.once('response', (response) => read(response).then(resolve, reject));
    request.once('error', reject);
    request.end(body);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? '',
    headers: response.headers as Record<string, string>,
    body: Buffer.concat(parts),
  };
}

/** The error document of an answer, which must be one as clients compare it. */
export function errorOf({ status, headers, body }: Answer): Record<string, unknown> {
  if (headers['content-type'] !== 'application/json') throw new Error(`${status} is ${headers['content-type']}`);
  const text = body.toString();
  const document = JSON.parse(text) as Record<string, unknown>;
  const keys = Object.keys(document);
  if (String(keys) !== String([...keys].sort())) throw new Error(`keys in the order ${keys}`);
  if (!text.endsWith('}\n')) throw new Error('no line end');
  if (document.status !== status) throw new Error(`the document says ${document.status}, the answer ${status}`);
  for (const key of ['code', 'detail', 'title']) if (!document[key]) throw new Error(`no ${key}`);
  return document;
}

export interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export async function entriesOf(zip: string | Uint8Array): Promise<readonly Entry[]> {
  const opened = await openSources(zip);
  try {
    return await Promise.all(opened.sources.map(async ({ name, read: all }) => ({ name, bytes: await all() })));
  } finally {
    await opened.close();
  }
}

export const zipOf = (entries: readonly ZipContent[]): Promise<Buffer> => writeZip(entries, { level: 1 });

export async function phantom(options: PhantomOptions = {}): Promise<readonly Entry[]> {
  const { files } = await makePhantom({ size: [32, 32, 4], spacing: [12, 12, 30], ...options });
  return files.map(({ name, bytes }) => ({ name, bytes }));
}

/** Three neighbouring slices of a real CT, named as the Gateway does. */
export async function threeSlices(lung1: string): Promise<Buffer> {
  const all = await entriesOf(join(lung1, 'LUNG1-001_CT_dicom.zip'));
  return zipOf(all.slice(60, 63).map(({ bytes }, n) => ({ name: `ct/${n}`, bytes })));
}
