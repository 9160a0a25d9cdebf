/** The answer's bytes (specs/protocols.md 4.3): JSON, bodies, hashes, in a multipart/related with the boundary of the request. */
import { createHash } from 'node:crypto';
import { boundaryOccurs, isLegalBoundary, newBoundary, parameterText, writeMultipart } from '@isocenter/formats';
import type { CheckedBody } from './check-answer.js';

/** May cross threads. */
export interface CheckedAnswer {
  readonly jsonText: string;
  readonly bodies: readonly CheckedBody[];
}

export interface EncodedAnswer extends CheckedAnswer {
  /** `hashOf` it. */
  readonly outputHash: string;
}

export interface WrittenAnswer {
  readonly contentType: string;
  readonly length: number;
  /** All but the hashes are as they are sent; these are when `seal` was called. */
  readonly chunks: readonly Uint8Array[];
  readonly hashes: Uint8Array;
  /** Writes the hash of the output where it belongs, and returns it. */
  seal(): string;
}

const HASH_DIGITS = 64;

/** SHA-256 of the JSON's bytes, then of each body. */
export function hashOf({ jsonText, bodies }: CheckedAnswer): string {
  const hash = createHash('sha256').update(jsonText);
  for (const { bytes } of bodies) hash.update(bytes);
  return hash.digest('hex');
}

/** `requestBoundary` comes back as upstream meant it to, where it is legal and does not occur in what is sent. */
export function writeAnswer(
  answer: CheckedAnswer | EncodedAnswer,
  inputHash: string,
  requestBoundary: string,
): WrittenAnswer {
  const json = Buffer.from(answer.jsonText, 'latin1');
  const hashes = Buffer.from(`${inputHash}:${'0'.repeat(HASH_DIGITS)}`);
  let outputHash = 'outputHash' in answer ? answer.outputHash : undefined;
  const seal = () => {
    outputHash ??= hashOf(answer);
    hashes.write(outputHash, inputHash.length + 1, 'latin1');
    return outputHash;
  };
  const contents: [name: string, mediaType: string, body: Uint8Array][] = [
    ['json-body', 'application/json', json],
    ...answer.bodies.map(({ bytes, mediaType }, n): [string, string, Uint8Array] => [`elem_${n}`, mediaType, bytes]),
    ['hashes', 'text/plain', hashes],
  ];
  const usable =
    isLegalBoundary(requestBoundary) &&
    !boundaryOccurs(
      requestBoundary,
      contents.map(([, , body]) => body),
    );
  const boundary = usable ? requestBoundary : newBoundary();
  const written = writeMultipart(
    boundary,
    contents.map(([name, mediaType, body]) => ({
      headers: [
        ['Content-Disposition', `form-data; name="${name}"; filename="${name}"`],
        ['Content-Type', mediaType],
      ],
      body,
    })),
  );
  return { contentType: `multipart/related; boundary=${parameterText(boundary)}`, ...written, hashes, seal };
}

const SLICE = 1024 * 1024;

/**
 * In pieces that a socket takes at once, so that large masks are not pinned until the last byte is out. The hashes come last:
 * whoever waits for the next piece hashes while the client reads.
 */
export function* piecesOf({ chunks, hashes, seal }: WrittenAnswer): Generator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk === hashes) seal();
    for (let at = 0; at < chunk.length; at += SLICE) yield chunk.subarray(at, Math.min(chunk.length, at + SLICE));
  }
}
