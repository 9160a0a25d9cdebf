/** From the bytes of a request to those of its answer, whoever computes it; each line of the log names the input's hash. */
import { isFailure } from '@isocenter/volume';
import { describeDefect } from '../../defects/describe-defect.js';
import type { HandlerRequest } from './handler.js';
import { type CheckedAnswer, type EncodedAnswer, type WrittenAnswer, writeAnswer } from './messages.js';
import {
  DEFAULT_READ_LIMITS,
  type PartsTaker,
  type ReadLimits,
  type ReceivedRequest,
  readHead,
  readRequest,
} from './read-request.js';
import { type LogSink, TaggedLogger } from './tagged-logger.js';

/** What answers: a handler in this process or in a thread, or a model. */
export interface Answering extends PartsTaker {
  answer(request: ReceivedRequest, logger: TaggedLogger): Promise<CheckedAnswer | EncodedAnswer>;
}

export interface Exchange {
  readonly contentType: string | undefined;
  readonly stream: AsyncIterable<Uint8Array>;
  readonly log: LogSink;
  readonly limits?: ReadLimits;
}

/** Throws ArterysError, MultipartError, what the stream throws and what answers throws; it is logged then. */
export async function exchange(
  { contentType, stream, log, limits = DEFAULT_READ_LIMITS }: Exchange,
  answering: Answering,
): Promise<WrittenAnswer & { readonly inputHash: string }> {
  const head = readHead(contentType);
  const received = await readRequest(stream, head, answering, limits);
  const { inputHash, count } = received;
  const logger = new TaggedLogger(log, { input_hash: inputHash });
  logger.info(`request with ${count} parts`);
  let answer: CheckedAnswer | EncodedAnswer;
  try {
    answer = await answering.answer(received, logger);
  } catch (error) {
    logger.error(`no answer: ${faultText(error)}`);
    throw error;
  }
  const written = writeAnswer(answer, inputHash, head.boundary);
  let outputHash: string | undefined;
  const seal = () => {
    if (outputHash !== undefined) return outputHash;
    outputHash = written.seal();
    logger.tag({ output_hash: outputHash }).info(`answer with ${answer.bodies.length} parts`);
    return outputHash;
  };
  return { ...written, inputHash, seal };
}

/** Our own words in full; of what others threw name and place, because its text may quote the images. */
export function faultText(error: unknown): string {
  if (isFailure(error)) {
    const { message, where, cause } = error;
    return `${message}${where === undefined ? '' : ` [${where}]`}${cause === undefined ? '' : ` (${faultText(cause)})`}`;
  }
  const { name, frames } = describeDefect(error);
  return [name, ...frames.slice(0, 3)].join(' at ');
}

/** Keeps the parts in memory for a handler. */
export class PartsInMemory {
  #parts: Buffer[] = [];

  take(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  /** Once: whoever answers holds them alone and lets go of them when it wants. */
  request({ json, inputHash }: ReceivedRequest, logger: TaggedLogger): HandlerRequest {
    const parts = this.#parts;
    this.#parts = [];
    return { json, parts, inputHash, logger };
  }
}
