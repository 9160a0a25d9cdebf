/**
 * What earlier runs of a model took, against the size of their input: a better forecast than any sum of known parts,
 * because a network's working memory shows only when it runs.
 */

export interface MemorySample {
  /** Unpacked size of the input. */
  readonly inputBytes: number;
  readonly peakBytes: number;
}

/** Enough for inputs of quite different sizes. */
const MAXIMUM_SAMPLES = 8;
/** Runs of one size differ by garbage that is not yet collected. */
const MARGIN = 1.1;
/** A model that got by with less several times would else be judged for ever by its one worst run. */
const FORGET = 0.98;

export class LearntMemory {
  readonly #samples = new Map<string, MemorySample[]>();

  constructor(
    learnt: Readonly<Record<string, readonly MemorySample[]>> = {},
    private readonly onLearnt: (sha256: string, samples: readonly MemorySample[]) => void = () => {},
  ) {
    for (const [sha256, samples] of Object.entries(learnt)) this.#samples.set(sha256, samples.filter(isSample));
  }

  add(sha256: string, sample: MemorySample): void {
    if (!isSample(sample)) return;
    const { inputBytes } = sample;
    const earlier = this.#samples.get(sha256) ?? [];
    const same = earlier.find((other) => other.inputBytes === inputBytes);
    const peakBytes = Math.max(sample.peakBytes, (same?.peakBytes ?? 0) * FORGET);
    const others = earlier
      // A larger input that took less says nothing any more: this one shows what a run can take.
      .filter(
        (other) => other.inputBytes < inputBytes || (other.inputBytes > inputBytes && other.peakBytes > peakBytes),
      )
      .map((other) =>
        other.inputBytes < inputBytes && other.peakBytes > peakBytes
          ? { ...other, peakBytes: Math.max(peakBytes, other.peakBytes * FORGET) }
          : other,
      );
    const samples = [...others, { inputBytes, peakBytes }]
      .sort((a, b) => a.inputBytes - b.inputBytes)
      .slice(-MAXIMUM_SAMPLES);
    this.#samples.set(sha256, samples);
    this.onLearnt(sha256, samples);
  }

  /**
   * Bytes for an input of this size, or undefined when nothing is known: the peak of the next larger input that was run,
   * else that of the largest and what it `grows` by from that one on. In proportion would be wrong: most of a small
   * study's peak is the process and the network's working memory, which a large study needs only once.
   */
  expect(sha256: string, inputBytes: number, grows: (fromBytes: number) => number): number | undefined {
    const samples = this.#samples.get(sha256);
    const last = samples?.at(-1);
    if (!samples || !last) return undefined;
    const above = samples.find((sample) => sample.inputBytes >= inputBytes);
    if (above) return above.peakBytes * MARGIN;
    return (last.peakBytes + Math.max(0, grows(last.inputBytes))) * MARGIN;
  }
}

function isSample({ inputBytes, peakBytes }: MemorySample): boolean {
  return Number.isFinite(inputBytes) && Number.isFinite(peakBytes) && inputBytes >= 0 && peakBytes > 0;
}
