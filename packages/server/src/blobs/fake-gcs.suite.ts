/** A small Google Cloud Storage for tests, after the JSON API's reference: objects, uploads in one request and in sessions. */
import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { FakeObjects, type HeldFile, listen } from './fake-objects.suite.js';

const PAGE = 3;

export class FakeGcs {
  readonly #objects = new FakeObjects();
  readonly #sessions = new Map<string, { readonly name: string; readonly chunks: HeldFile[] }>();
  readonly requests: string[] = [];
  fault: (request: IncomingMessage) => number | 'cut' | undefined = () => undefined;
  /** As if a wire or a disk were bad. */
  changesBytes = false;
  url = '';
  #close: () => Promise<void> = async () => undefined;
  #last = 0;

  static async start(): Promise<FakeGcs> {
    const fake = new FakeGcs();
    const { url, close } = await listen((request, response) => fake.#handle(request, response));
    fake.url = url;
    fake.#close = close;
    return fake;
  }

  async close(): Promise<void> {
    await this.#close();
    rmSync(this.#objects.folder, { recursive: true });
  }

  everything(): string[] {
    const sessions = [...this.#sessions].map(([id, { name, chunks }]) => `${name}#${id}:${chunks.length}`);
    return [...this.#objects.page('', '', Number.POSITIVE_INFINITY).part.map(({ name }) => name), ...sessions];
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    this.requests.push(`${request.method} ${request.url}`);
    const fault = this.fault(request);
    if (typeof fault === 'number') return fail(response, fault);
    if (url.pathname === '/token') {
      return json(response, {
        access_token: 'a-token-of-the-test',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3600,
      });
    }
    const session = url.searchParams.get('upload_id');
    if (session) return this.#chunk(session, request, response, fault === 'cut');
    const [, bucket, rest] =
      /^\/(?:upload\/|download\/)?storage\/v1\/b\/([^/]+)\/o(?:\/(.*))?$/.exec(url.pathname) ?? [];
    if (bucket !== 'blobs') return fail(response, 404, 'The specified bucket does not exist.');
    if (url.pathname.startsWith('/upload/')) return this.#upload(url, request, response);
    if (rest === undefined) return this.#list(url, response);
    const name = decodeURIComponent(rest);
    const found = this.#objects.find(name);
    if (!found) return fail(response, 404);
    if (request.method === 'DELETE') {
      this.#objects.remove(name);
      return void response.writeHead(204).end();
    }
    if (url.searchParams.get('alt') !== 'media') return json(response, describe(name, found));
    const { status, headers, body } = this.#objects.read(found, request.headers.range);
    if (!body) return fail(response, status);
    response.writeHead(status, { ...headers, 'content-type': 'application/octet-stream' });
    if (fault !== 'cut') return void body.pipe(response);
    for await (const chunk of body) {
      response.write(chunk, () => response.destroy());
      return;
    }
  }

  async #upload(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (url.searchParams.get('uploadType') === 'resumable') {
      const id = `session${++this.#last}`;
      this.#sessions.set(id, { name: url.searchParams.get('name') ?? '', chunks: [] });
      return void response.writeHead(200, { location: `${this.url}/session?upload_id=${id}` }).end();
    }
    if (url.searchParams.get('uploadType') !== 'media') return fail(response, 400);
    const name = url.searchParams.get('name') ?? '';
    const held = await this.#objects.receive(this.changesBytes ? Readable.from([Buffer.from('other')]) : request);
    json(response, describe(name, this.#objects.commit(name, held)));
  }

  async #chunk(id: string, request: IncomingMessage, response: ServerResponse, cut: boolean): Promise<void> {
    const session = this.#sessions.get(id);
    if (!session) return fail(response, 404);
    if (request.method === 'DELETE') {
      this.#objects.discard(session.chunks);
      this.#sessions.delete(id);
      return void response.writeHead(499).end();
    }
    const [, from, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '') ?? [];
    const held = () => session.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
    if (from !== undefined && Number(from) !== held()) return fail(response, 400);
    const chunk = await this.#objects.receive(request);
    if (from !== undefined) session.chunks.push(chunk);
    if (cut) return void response.destroy();
    if (total !== '*' && total !== undefined && Number(total) === held()) {
      const file = this.#objects.commit(session.name, await this.#objects.join(session.chunks));
      this.#objects.discard(session.chunks);
      this.#sessions.delete(id);
      return json(response, describe(session.name, file));
    }
    response.writeHead(308, held() > 0 ? { range: `bytes=0-${held() - 1}` } : {}).end();
  }

  #list(url: URL, response: ServerResponse): void {
    const { part, next } = this.#objects.page(
      url.searchParams.get('prefix') ?? '',
      url.searchParams.get('pageToken') ?? '',
      PAGE,
    );
    json(response, {
      kind: 'storage#objects',
      items: part.map(({ name, file }) => describe(name, file)),
      ...(next === undefined ? {} : { nextPageToken: next }),
    });
  }
}

function describe(name: string, file: HeldFile) {
  return {
    kind: 'storage#object',
    name,
    bucket: 'blobs',
    generation: `${file.at.getTime()}`,
    metageneration: '1',
    size: `${file.bytes}`,
    md5Hash: file.md5.toString('base64'),
    updated: file.at.toISOString(),
    timeCreated: file.at.toISOString(),
  };
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

function fail(response: ServerResponse, code: number, message = 'no'): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message, errors: [{ reason: 'test', message }] } }));
}
