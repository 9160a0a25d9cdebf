/**
 * A small S3 server for tests, after Amazon's API reference: what s3rver has not (abort and listing of multipart uploads,
 * pages, the order of keys, ranges of empty objects), and faults on request.
 */
import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyText, FakeObjects, type HeldFile, listen } from './fake-objects.suite.js';

interface MultipartUpload {
  readonly key: string;
  readonly parts: Map<number, HeldFile>;
}

const PAGE = 3;

export class FakeS3 {
  readonly #objects = new FakeObjects();
  readonly #uploads = new Map<string, MultipartUpload>();
  readonly requests: string[] = [];
  /** Asked before each request; a status to answer with, or 'cut' to end the connection in the middle. */
  fault: (request: IncomingMessage) => number | 'cut' | undefined = () => undefined;
  url = '';
  #close: () => Promise<void> = async () => undefined;
  #last = 0;

  static async start(): Promise<FakeS3> {
    const fake = new FakeS3();
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
    const parts = [...this.#uploads.values()].flatMap(({ key, parts }) => [...parts.keys()].map((n) => `${key}#${n}`));
    return [...this.#objects.page('', '', Number.POSITIVE_INFINITY).part.map(({ name }) => name), ...parts];
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://s3');
    const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/');
    const key = rest.join('/');
    const query = url.searchParams;
    this.requests.push(`${request.method} ${request.url}`);
    const fault = this.fault(request);
    if (typeof fault === 'number') return fail(response, fault, 'FaultOnRequest');
    if (bucket !== 'blobs') return fail(response, 404, 'NoSuchBucket');
    const upload = query.get('uploadId');
    switch (`${request.method} ${key ? (upload ? 'part' : 'object') : 'bucket'}`) {
      case 'PUT object': {
        const { md5 } = this.#objects.commit(key, await this.#objects.receive(request));
        return void response.writeHead(200, { etag: `"${md5.toString('hex')}"` }).end();
      }
      case 'POST object': {
        const id = `upload${++this.#last}`;
        this.#uploads.set(id, { key, parts: new Map() });
        return xml(
          response,
          `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        );
      }
      case 'PUT part': {
        const part = await this.#objects.receive(request);
        const found = this.#uploads.get(upload ?? '');
        if (!found) {
          this.#objects.discard([part]);
          return fail(response, 404, 'NoSuchUpload');
        }
        found.parts.set(Number(query.get('partNumber')), part);
        return void response.writeHead(200, { etag: `"${part.md5.toString('hex')}"` }).end();
      }
      case 'POST part': {
        const wanted = [...(await bodyText(request)).matchAll(/<PartNumber>(\d+)</g)].map(([, number]) =>
          Number(number),
        );
        const found = this.#uploads.get(upload ?? '');
        if (!found) return fail(response, 404, 'NoSuchUpload');
        const parts = wanted.map((number) => found.parts.get(number) as HeldFile);
        this.#objects.commit(found.key, await this.#objects.join(parts));
        this.#forget(upload ?? '');
        return xml(response, '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>');
      }
      case 'DELETE part':
        if (!this.#forget(upload ?? '')) return fail(response, 404, 'NoSuchUpload');
        return void response.writeHead(204).end();
      case 'DELETE object':
        this.#objects.remove(key);
        return void response.writeHead(204).end();
      case 'GET object':
      case 'HEAD object': {
        const found = this.#objects.find(key);
        if (!found) return fail(response, 404, 'NoSuchKey', request.method === 'HEAD');
        const { status, headers, body } = this.#objects.read(found, request.headers.range);
        if (!body) return fail(response, status, 'InvalidRange');
        response.writeHead(status, { ...headers, 'last-modified': found.at.toUTCString() });
        if (request.method === 'HEAD') {
          body.destroy();
          return void response.end();
        }
        if (fault !== 'cut') return void body.pipe(response);
        for await (const chunk of body) {
          response.write(chunk, () => response.destroy());
          return;
        }
        return;
      }
      case 'GET bucket':
        return query.has('uploads') ? this.#listUploads(response, query) : this.#list(response, query);
      default:
        return fail(response, 405, 'MethodNotAllowed');
    }
  }

  #list(response: ServerResponse, query: URLSearchParams): void {
    const { part, next } = this.#objects.page(query.get('prefix') ?? '', query.get('continuation-token') ?? '', PAGE);
    const contents = part.map(
      ({ name, file }) =>
        `<Contents><Key>${name}</Key><Size>${file.bytes}</Size><LastModified>${file.at.toISOString()}</LastModified></Contents>`,
    );
    const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
    xml(
      response,
      `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`,
    );
  }

  #listUploads(response: ServerResponse, query: URLSearchParams): void {
    const prefix = query.get('prefix') ?? '';
    const uploads = [...this.#uploads]
      .filter(([, { key }]) => key.startsWith(prefix))
      .map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`);
    xml(response, `<ListMultipartUploadsResult>${uploads.join('')}</ListMultipartUploadsResult>`);
  }

  #forget(id: string): boolean {
    this.#objects.discard([...(this.#uploads.get(id)?.parts.values() ?? [])]);
    return this.#uploads.delete(id);
  }
}

function xml(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${body}`);
}

function fail(response: ServerResponse, status: number, code: string, bare = false): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(bare ? undefined : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
