/**
 * For tests of Arterys: requests in the wire form of upstream's test tool, written by hand, and a reader of answers that
 * shares no code with the parser or the writer of the product.
 */
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';

export const B = '0123456789abcdef0123456789abcdef';
export const RELATED = `multipart/related; boundary="${B}"`;
export const JSON_TEXT = '{"studyUID": "1.2.826.0.1.3680043.2.1143.1"}';

/** specs/protocols.md 4.2, byte for byte. */
export function requestBody(
  files: readonly Uint8Array[],
  json = JSON_TEXT,
  attachments: readonly Uint8Array[] = [],
): Buffer {
  const pieces: Uint8Array[] = [
    Buffer.from(`--${B}\r\nContent-Disposition: form-data; name="request_json"; filename="request"\r\n`),
    Buffer.from('Content-Type: text/json\r\n\r\n'),
    Buffer.from(json),
    Buffer.from('\r\n'),
  ];
  [...attachments, ...files].forEach((bytes, n) => {
    const type = n < attachments.length ? 'octet-stream' : 'dicom';
    const head = `--${B}\r\nContent-Disposition: form-data; name="${n + 1}"; filename="${n + 1}.dcm"\r\n`;
    pieces.push(Buffer.from(`${head}Content-Type: application/${type}\r\n\r\n`), bytes, Buffer.from('\r\n'));
  });
  return Buffer.concat([...pieces, Buffer.from(`--${B}--\r\n`)]);
}

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface AskWish {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly type?: string;
}

export function ask(url: string, path: string, wish: AskWish = {}): Promise<Asked> {
  const { method = 'POST', headers = {}, body, type = RELATED } = wish;
  const length = headers['transfer-encoding'] || !body ? {} : { 'content-length': body.length };
  return new Promise((resolve, refuse) => {
    const sent = httpRequest(
      new URL(path, url),
      { method, headers: { ...(body ? { 'content-type': type, ...length } : {}), ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers as Record<string, string>,
            body: Buffer.concat(chunks),
          }),
        );
        answer.on('error', refuse);
      },
    );
    sent.on('error', refuse);
    sent.end(body);
  });
}

export interface Part {
  /** Header lines as they came. */
  readonly lines: readonly string[];
  readonly body: Buffer;
}

export interface Read {
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into it field by field.
  readonly json: any;
  readonly jsonText: string;
  readonly bodies: readonly Buffer[];
  readonly parts: readonly Part[];
  readonly hashes: string;
}

/** Every rule of specs/protocols.md 4.3 about the frame; throws when one is broken. */
export function readAnswer({ status, headers, body }: Asked): Read {
  if (status !== 200) throw new Error(`status ${status}: ${body.toString('latin1', 0, 300)}`);
  const [, quoted, plain] =
    /^multipart\/related; boundary=(?:"([^"]*)"|([^;\s"]+))$/.exec(headers['content-type'] ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Error(`content type ${headers['content-type']}`);
  if (headers['content-length'] !== String(body.length)) throw new Error('Content-Length is not that of the body');
  const text = body.toString('latin1');
  const open = `--${boundary}\r\n`;
  if (!text.startsWith(open) || !text.endsWith(`\r\n--${boundary}--\r\n`)) throw new Error('the frame is not closed');
  const inner = text.slice(open.length, -`\r\n--${boundary}--\r\n`.length);
  const parts = inner.split(`\r\n--${boundary}\r\n`).map((part): Part => {
    const end = part.indexOf('\r\n\r\n');
    return { lines: part.slice(0, end).split('\r\n'), body: Buffer.from(part.slice(end + 4), 'latin1') };
  });
  const [first, ...others] = parts;
  const last = others.pop();
  if (!first || !last) throw new Error('an answer has at least JSON and hashes');
  const jsonText = first.body.toString('latin1');
  return {
    json: JSON.parse(jsonText),
    jsonText,
    bodies: others.map((part) => part.body),
    parts,
    hashes: last.body.toString(),
  };
}

export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
