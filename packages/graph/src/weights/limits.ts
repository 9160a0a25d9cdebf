/** The named limits of reading weights. Sizes in a file are checked against the bytes that are there and against these. */

const MiB = 1024 * 1024;

export interface WeightsLimits {
  /** Bytes of one pickle, which holds names and shapes but no weights. */
  readonly maximumPickleBytes: number;
  readonly maximumOpcodes: number;
  /** Lists, tuples, dicts, tensors … that one pickle may make. */
  readonly maximumObjects: number;
  /** Marks open at once, and levels of containers in one another. */
  readonly maximumDepth: number;
  /** Tensors, numbers, texts and containers that the walk over the result meets; shared ones count each time. */
  readonly maximumParts: number;
  readonly maximumTensors: number;
  readonly maximumRank: number;
  /** Characters of one dotted name, and of all names together. */
  readonly maximumNameLength: number;
  readonly maximumNamesLength: number;
  /** Views may overlap in their storage; their bytes may be this many times those there … */
  readonly maximumExpansion: number;
  /** … or this many, whichever is more (an expanded bias in a small file is harmless). */
  readonly expansionFloorBytes: number;
  readonly maximumHeaderBytes: number;
}

export const DEFAULT_WEIGHTS_LIMITS: WeightsLimits = Object.freeze({
  // A tensor needs some 150 bytes of pickle; 64 MiB is 400,000 tensors.
  maximumPickleBytes: 64 * MiB,
  // A tensor needs some 40 instructions and six objects: room for 50,000 tensors with an optimiser's two copies.
  maximumOpcodes: 4_000_000,
  maximumObjects: 1_000_000,
  // Modules nest some ten deep; real pickles open about as many marks.
  maximumDepth: 128,
  maximumParts: 1_000_000,
  maximumTensors: 200_000,
  // ONNX Runtime and PyTorch end at far fewer; numpy at 64.
  maximumRank: 64,
  maximumNameLength: 4096,
  maximumNamesLength: 32 * MiB,
  maximumExpansion: 4,
  expansionFloorBytes: 64 * MiB,
  // The limit that safetensors itself sets is 100 MB.
  maximumHeaderBytes: 100_000_000,
});
