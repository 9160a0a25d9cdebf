/** The answer's bytes (specs/protocols.md 4.3): JSON, bodies, hashes, in a multipart/related with the boundary of the request. */
import { boundaryOccurs, isLegalBoundary, newBoundary, parameterText, writeMultipart } from '@isocenter/formats';
import type { CheckedBody } from './check-answer.js';

/** An answer that was checked; may cross threads. */
export interface EncodedAnswer {
  readonly jsonText: string;
  readonly bodies: readonly CheckedBody[];
  /** SHA-256 of the JSON's bytes, then of each body. */
  readonly outputHash: string;
}

export interface WrittenAnswer {
  readonly contentType: string;
  readonly length: number;
  readonly chunks: readonly Uint8Array[];
}

/** `requestBoundary` comes back as upstream meant it to, where it is legal and does not occur in what is sent. */
export function writeAnswer(answer: EncodedAnswer, inputHash: string, requestBoundary: string): WrittenAnswer {
  const json = Buffer.from(answer.jsonText, 'latin1');
  const hashes = Buffer.from(`${inputHash}:${answer.outputHash}`);
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
  return { contentType: `multipart/related; boundary=${parameterText(boundary)}`, ...written };
}

const SLICE = 1024 * 1024;

/** In pieces that a socket takes at once, so that large masks are not pinned until the last byte is out. */
export function* piecesOf({ chunks }: WrittenAnswer): Generator<Uint8Array> {
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += SLICE) yield chunk.subarray(at, Math.min(chunk.length, at + SLICE));
}
