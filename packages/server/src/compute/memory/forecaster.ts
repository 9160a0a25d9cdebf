/** Before a task begins: how much it will need, against how much it could have. */
import type { ForecastItem } from '@isocenter/engine';
import { type Bundle, loadBundle, looksAtSingleImages } from '@isocenter/engine/bundles';
import { megabytes, PROCESS_BYTES, sumOf } from '@isocenter/engine/processes';
import type { ComputeTask, Forecast, ModelRef } from '../compute-pool.js';
import type { LearntMemory } from './learnt-memory.js';
import { unpackedBytes } from './unpacked-bytes.js';

export interface Need {
  readonly bytes: number;
  readonly inputBytes: number;
  /** What needs what. */
  readonly because: string;
}

export type AboutTask = Pick<ComputeTask, 'model' | 'inputPath'> & { readonly kind?: ComputeTask['kind'] };

/** A task may have the smallest of these. */
export interface Bound {
  readonly bytes: number;
  readonly what: string;
}

/** Decoders, encoders, proofs and the thread that watches the parent, beyond what the engine counts; measured with small studies. */
const CHILD = { what: 'decoding and encoding', bytes: 48 * 2 ** 20 };

/** What the engine counts is the least; larger inputs are given so many times the difference. */
const GROWTH = 2;

export class Forecaster {
  /** Read once per version: a version never changes, and its weights are hashed at each reading. */
  readonly #bundles = new Map<string, Promise<Bundle>>();

  constructor(private readonly learnt: LearntMemory) {}

  /** Throws BundleError and what the plan of a bundle throws; ArchiveError for a zip whose directory is a lie. */
  async need({ model, inputPath, kind }: AboutTask): Promise<Need> {
    const inputBytes = await unpackedBytes(inputPath);
    const counted = await this.#counter(model, kind);
    const grows = (from: number) => GROWTH * (counted(inputBytes) - counted(from));
    const learnt = this.learnt.expect(model.sha256, inputBytes, grows);
    if (learnt !== undefined)
      return {
        bytes: Math.ceil(learnt),
        inputBytes,
        because: `${megabytes(inputBytes)} of images with ${model.address} need about ${megabytes(learnt)}, as earlier runs show`,
      };
    const items = [...(await this.#forecast(model, inputBytes)), CHILD];
    const list = items.map(({ what, bytes }) => `${what} ${megabytes(bytes)}`).join(', ');
    return {
      bytes: sumOf(items),
      inputBytes,
      because: `${megabytes(inputBytes)} of images with ${model.address} need at least ${megabytes(sumOf(items))} (${list})`,
    };
  }

  /** Bytes that the engine counts for an input of a size; of a model that sees one image after the other, the files alone. */
  async #counter(model: ModelRef, kind: AboutTask['kind']): Promise<(inputBytes: number) => number> {
    const bundle = await this.#bundleOf(model);
    if (kind === 'predict' && looksAtSingleImages(bundle)) return (bytes) => bytes / GROWTH;
    const { forecastOfFile } = await import('@isocenter/engine');
    return (bytes) => sumOf(forecastOfFile(bundle, bytes));
  }

  /** For a child that only loads the model. */
  async needOfModel(model: ModelRef): Promise<Need> {
    const bytes = sumOf((await this.#forecast(model, 0)).filter(({ what }) => !what.includes('states')));
    return {
      bytes: Math.max(bytes, PROCESS_BYTES),
      inputBytes: 0,
      because: `${model.address} alone needs ${megabytes(bytes)}`,
    };
  }

  /** The engine is loaded with the first model that nobody ran yet, not with the server. */
  async #forecast(model: ModelRef, inputBytes: number): Promise<ForecastItem[]> {
    const { forecastOfFile } = await import('@isocenter/engine');
    return [...forecastOfFile(await this.#bundleOf(model), inputBytes)];
  }

  #bundleOf(model: ModelRef): Promise<Bundle> {
    const known = this.#bundles.get(model.sha256);
    if (known) return known;
    const bundle = loadBundle(model.folder);
    this.#bundles.set(model.sha256, bundle);
    bundle.catch(() => this.#bundles.delete(model.sha256));
    return bundle;
  }
}

export function smallest(bounds: readonly Bound[]): Bound {
  return bounds.reduce((least, bound) => (bound.bytes < least.bytes ? bound : least));
}

/** `bound`: what the task could have if no other ran; `now`: what is left beside those that run. */
export function judge(need: Need, bound: Bound, now: number): Forecast {
  const fits = need.bytes <= bound.bytes;
  const decision = !fits
    ? `but ${bound.what} ${megabytes(bound.bytes)}: refused`
    : need.bytes <= now
      ? 'and are free: begun at once'
      : `of which ${megabytes(Math.max(0, now))} are free beside other tasks: it waits for them`;
  return {
    neededBytes: need.bytes,
    availableBytes: bound.bytes,
    fits,
    why: `${need.because}, ${decision}`,
  };
}

export const SMALLER =
  'Raise the memory limit or budget, run fewer other programs, or send a smaller study (fewer or coarser slices)';
