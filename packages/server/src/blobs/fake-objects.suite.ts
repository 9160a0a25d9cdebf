/** Objects on disk behind the servers that tests imitate: received to a side file, then there as a whole; names are hashed. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface HeldFile {
  readonly path: string;
  readonly bytes: number;
  readonly md5: Buffer;
  readonly at: Date;
}

export class FakeObjects {
  readonly folder = mkdtempSync(join(tmpdir(), 'isocenter-objects-'));
  readonly #objects = new Map<string, HeldFile>();
  #last = 0;

  /** Whole, or not at all: throws when the sender went away. */
  async receive(source: AsyncIterable<Uint8Array>): Promise<HeldFile> {
    const path = join(this.folder, `part${++this.#last}`);
    const hash = createHash('md5');
    let bytes = 0;
    try {
      await pipeline(
        source,
        async function* (chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            bytes += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(path),
      );
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
    return { path, bytes, md5: hash.digest(), at: new Date() };
  }

  async join(parts: readonly HeldFile[]): Promise<HeldFile> {
    return this.receive(
      (async function* () {
        for (const { path } of parts) yield* createReadStream(path);
      })(),
    );
  }

  commit(name: string, file: HeldFile): HeldFile {
    const path = join(this.folder, createHash('sha256').update(name).digest('hex'));
    renameSync(file.path, path);
    const held = { ...file, path };
    this.#objects.set(name, held);
    return held;
  }

  find(name: string): HeldFile | undefined {
    return this.#objects.get(name);
  }

  remove(name: string): boolean {
    const found = this.#objects.get(name);
    if (found) rmSync(found.path);
    return this.#objects.delete(name);
  }

  discard(files: readonly HeldFile[]): void {
    for (const { path } of files) rmSync(path, { force: true });
  }

  /** In the order of names; `after`: the last of the page before. */
  page(prefix: string, after: string, most: number) {
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
    const part = names.slice(0, most).map((name) => ({ name, file: this.#objects.get(name) as HeldFile }));
    return { part, next: names.length > most ? (part.at(-1)?.name ?? '') : undefined };
  }

  /** Status, headers and body of a GET with its Range, by RFC 9110, 14. */
  read(
    file: HeldFile,
    range: string | undefined,
  ): { status: number; headers: Record<string, string>; body?: Readable } {
    const size = statSync(file.path).size;
    const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
    if (!match) return { status: 200, headers: { 'content-length': `${size}` }, body: createReadStream(file.path) };
    const start = Number(match[1]);
    const end = Math.min(match[2] ? Number(match[2]) : size - 1, size - 1);
    if (start >= size) return { status: 416, headers: { 'content-range': `bytes */${size}` } };
    return {
      status: 206,
      headers: { 'content-length': `${end - start + 1}`, 'content-range': `bytes ${start}-${end}/${size}` },
      body: createReadStream(file.path, { start, end }),
    };
  }
}

/** On loopback, at a port of the system's choice. A request that breaks off ends only itself. */
export async function listen(
  handle: (...request: Parameters<RequestListener>) => Promise<void>,
): Promise<{ server: Server; url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function bodyText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
