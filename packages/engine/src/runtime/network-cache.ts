/**
 * Networks that stay loaded between runs of a process that lives longer than one run: a warm compute child. Whoever asks
 * twice for the same file and threads gets the same session, so its answers are those of a fresh one, bit by bit.
 */
import type { Bundle } from '../bundle/bundle.js';
import { planOf } from '../bundle/inference-plan.js';
import { builtinTargetOf } from '../run.js';
import type { NetworkRuntime } from './network-runtime.js';
import { loadOnnx, type OnnxOptions } from './onnx-runtime.js';

export class NetworkCache {
  readonly #loaded = new Map<string, Promise<NetworkRuntime>>();

  /** The `close` of what is handed out does nothing: the network is the cache's. Throws RuntimeFailure `cannot-load`. */
  async load(path: string, options: OnnxOptions = {}): Promise<NetworkRuntime> {
    const key = `${options.threads ?? ''} ${path}`;
    let runtime = this.#loaded.get(key);
    if (!runtime) {
      runtime = loadOnnx(path, options);
      this.#loaded.set(key, runtime);
      // A file that was put right meanwhile must not be refused by an old failure.
      runtime.catch(() => this.#loaded.delete(key));
    }
    return { ...(await runtime), close: async () => {} };
  }

  /** Gives all memory back; the cache may be used again. */
  async close(): Promise<void> {
    const all = [...this.#loaded.values()];
    this.#loaded.clear();
    for (const runtime of all) await (await runtime).close();
  }
}

/** Loads the bundle's network, if it has one, so that its first run finds it. Throws what `planOf` and loading throw. */
export async function warmNetwork(bundle: Bundle, networks: NetworkCache, threads?: number): Promise<void> {
  if (!builtinTargetOf(bundle)) await networks.load(planOf(bundle).model, threads === undefined ? {} : { threads });
}
