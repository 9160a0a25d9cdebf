/** One HTTP exchange: a body streamed out with its length, the answer read piece by piece; what fails, told apart. */
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Watch } from '@isocenter/volume';
import type { RequestBody } from './request-body.js';
import { RequestError } from './request-error.js';

export interface Call {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly body?: RequestBody;
  /** API key of a server that asks for one. */
  readonly key?: string;
  /** Longest silence while waiting; undefined: a model may think as long as it likes. */
  readonly timeoutMs?: number;
}

/** Resolves when the head of the answer is there. Throws RequestError `unreachable`, `cut-off`, `timed-out`; an AbortError. */
export async function exchange(
  { url, method, body, key, timeoutMs }: Call,
  watch: Watch = {},
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method,
    // The global agent ends every silence after five seconds; a model may think for minutes.
    agent: false,
    headers: {
      // A compressed answer would have to be kept twice to check its hashes.
      'Accept-Encoding': 'identity',
      Connection: 'close',
      ...(body ? { 'Content-Type': body.contentType, 'Content-Length': body.length } : { 'Content-Length': 0 }),
      ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
    },
    ...(watch.signal ? { signal: watch.signal } : {}),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
  const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options);
  let answered = false;
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', (message) => {
      answered = true;
      resolve(message);
    });
    outgoing.on('error', reject);
    outgoing.once('timeout', () =>
      outgoing.destroy(
        new RequestError('timed-out', 'The service was silent for too long', {
          where: url.host,
          next: 'Look at its log, or give it more time with --timeout SECONDS.',
        }),
      ),
    );
  });
  // A service may answer, and hang up, before it has read everything: then its answer counts, not the broken pipe.
  const sent = (body ? pipeline(Readable.from(body.chunks(watch)), outgoing) : Promise.resolve(outgoing.end())).then(
    () => (answered ? undefined : watch.progress?.(1, 1, 'wait for the answer')),
  );
  try {
    return await Promise.race([answer, sent.then(() => answer)]);
  } catch (error) {
    answer.catch(() => undefined);
    sent.catch(() => undefined);
    throw failureOf(error, url);
  }
}

const NOT_THERE = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
];
const CUT_OFF = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'];

/** Anything that is none of the network's own codes stays what it is. */
export function failureOf(error: unknown, url: URL): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !(error instanceof Error) || error.name === 'AbortError') return error;
  if (NOT_THERE.includes(code))
    return new RequestError('unreachable', 'There is no service', {
      where: url.host,
      next: `Start it, and check --host, --port or --url (${code}).`,
    });
  if (CUT_OFF.includes(code))
    return new RequestError('cut-off', 'The service hung up before it had answered', {
      where: url.host,
      next: 'Look at its log: it may have crashed, or refused a request of this size.',
    });
  if (code.startsWith('HPE_') || /SSL|EPROTO/.test(code))
    return new RequestError('cut-off', `What answers does not speak ${url.protocol.slice(0, -1)} (${code})`, {
      where: url.host,
      next: 'Check the port, and http or https in --url.',
    });
  return error;
}

/** Text of an answer that is no result: at most `most` characters. */
export async function answerText(message: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of message) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > most * 4) break;
    }
  } catch {
    // What came until the connection broke is still worth showing.
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
