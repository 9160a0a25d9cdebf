/**
 * Tries a network out in a child process before it becomes a model: ONNX Runtime must load it and answer zeros. A file
 * that crashes, hangs or swallows memory takes the child with it and nothing else.
 */
import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { builtEntry } from '@isocenter/engine/processes';
import { childEnvironment } from '../../compute/child-environment.js';
import { RegistryError } from '../registry-error.js';

export interface CheckLimits {
  readonly memoryBytes: number;
  readonly timeMs: number;
  readonly signal?: AbortSignal;
}

export interface CheckedPort {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly (number | string)[];
}

/** What the child says: its ports, and the float outputs of one run over zeros, in the model's order. */
export interface CheckedOnnx {
  readonly inputs: readonly CheckedPort[];
  readonly outputs: readonly CheckedPort[];
  readonly answers: readonly { readonly name: string; readonly dims: readonly number[] }[];
}

export type CheckMessage =
  | { readonly kind: 'checked'; readonly checked: CheckedOnnx }
  | { readonly kind: 'refused'; readonly why: string };

const POLL_MS = 50;
const LONGEST_WHY = 400;
const PAGE_BYTES = 4096;

/** Throws RegistryError `unsupported-model` with ONNX Runtime's own reason, or the limit that was passed. */
export async function checkOnnx(path: string, dims: readonly number[], limits: CheckLimits): Promise<CheckedOnnx> {
  limits.signal?.throwIfAborted();
  const message = await ask(path, dims, limits);
  if (message.kind === 'checked') return message.checked;
  throw new RegistryError(
    'unsupported-model',
    `The network does not run: ${message.why.replaceAll(path, 'model.onnx')}`,
    {
      where: 'model.onnx',
      next: 'Check window, layout and channels of the form against the network, or export it again with float32 inputs',
    },
  );
}

function ask(path: string, dims: readonly number[], limits: CheckLimits): Promise<CheckMessage> {
  return new Promise((done) => {
    const child = fork(builtEntry(import.meta.url, 'check-onnx-entry.js'), [path, JSON.stringify(dims)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...childEnvironment(), ORT_DISABLE_TELEMETRY: '1' },
    });
    let message: CheckMessage | undefined;
    let complaint = '';
    const end = (why: string) => {
      message ??= { kind: 'refused', why };
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => end(`it took longer than ${limits.timeMs} ms`), limits.timeMs);
    const poll = setInterval(async () => {
      if (child.pid !== undefined && (await residentBytes(child.pid)) > limits.memoryBytes)
        end(`it took more than ${Math.round(limits.memoryBytes / 2 ** 20)} MB of memory`);
    }, POLL_MS);
    const onAbort = () => end('it was cancelled');
    limits.signal?.addEventListener('abort', onAbort, { once: true });
    child.on('message', (said: CheckMessage) => {
      message ??= said;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-LONGEST_WHY);
    });
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      clearInterval(poll);
      limits.signal?.removeEventListener('abort', onAbort);
      const last = complaint.trim().split('\n').at(-1) ?? '';
      done(message ?? { kind: 'refused', why: `the check ended with ${signal ?? `status ${code}`} ${last}`.trim() });
    });
  });
}

/** Linux; elsewhere only the time is limited. */
async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) * PAGE_BYTES;
}
