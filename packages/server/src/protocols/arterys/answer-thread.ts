/**
 * The program of a thread that makes answers: of a handler's module, or of what a model said. Checks and hashes what it
 * made, so that the event loop of the server only passes bytes on.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isFailure } from '@isocenter/volume';
import { ArterysError } from './arterys-error.js';
import { encodeAnswer } from './encode-answer.js';
import { faultText } from './gateway.js';
import type { Handler } from './handler.js';
import { loadHandler } from './load-handler.js';
import { masksToAnswer } from './masks-to-answer.js';
import type { EncodedAnswer } from './messages.js';
import { predictionsToAnswer } from './predictions-to-answer.js';
import { type LogSink, TaggedLogger } from './tagged-logger.js';
import type { ThreadData, ThreadMessage, ThreadTask } from './thread-task.js';

const port = parentPort!;
const { module } = workerData as ThreadData;
const say = (message: ThreadMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const log: LogSink = {
  debug: (text) => say({ kind: 'log', level: 'debug', text }),
  info: (text) => say({ kind: 'log', level: 'info', text }),
  warn: (text) => say({ kind: 'log', level: 'warn', text }),
  error: (text) => say({ kind: 'log', level: 'error', text }),
};

async function perform(task: ThreadTask, handler: Handler | undefined): Promise<EncodedAnswer> {
  if (task.kind === 'masks') return encodeAnswer(await masksToAnswer(task));
  if (task.kind === 'predictions') return encodeAnswer(predictionsToAnswer(task));
  const { json, inputHash } = task;
  const parts = task.parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  const logger = new TaggedLogger(log, { input_hash: inputHash });
  return encodeAnswer(await handler!({ json, parts, inputHash, logger }));
}

const TOLD = ['inconsistent-answer', 'left-out', 'answer-too-large', 'bad-route', 'no-images'] as const;

function failureOf(error: unknown): ThreadMessage {
  const told = isFailure(error) ? TOLD.find((kind) => kind === error.kind) : undefined;
  if (told !== undefined && isFailure(error))
    return {
      kind: 'failure',
      failure: told,
      message: error.message,
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.next === undefined ? {} : { next: error.next }),
    };
  return { kind: 'failure', failure: 'handler-failed', message: `The handler failed: ${faultText(error)}` };
}

/** Masks that we made move over. What a handler returns is copied: it may keep it for its next answer. */
function movable({ bodies }: EncodedAnswer): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { bytes } of bodies)
    if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) buffers.add(bytes.buffer);
  return [...buffers];
}

const loading = module === undefined ? Promise.resolve(undefined) : loadHandler(module);
loading.then(
  (handler) => {
    port.on('message', (task: ThreadTask) => {
      perform(task, handler).then(
        (answer) => say({ kind: 'answer', answer }, task.kind === 'masks' ? movable(answer) : []),
        (error) => say(failureOf(error)),
      );
    });
    say({ kind: 'ready' });
  },
  (error) => {
    say(
      failureOf(
        isFailure(error)
          ? error
          : new ArterysError('bad-route', `The handler's module cannot be loaded: ${faultText(error)}`),
      ),
    );
    port.close();
  },
);
