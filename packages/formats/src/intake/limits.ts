/** The named limits of intake. Every size found in a header is checked against one of these and against the bytes there. */

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export interface IntakeLimits {
  /** Entries of one archive. */
  readonly maxEntries: number;
  /** Files of one folder on disk, which its owner made, so more than an archive may bring. */
  readonly maxFiles: number;
  /** Bytes of one entry or file when unpacked. */
  readonly maxEntryBytes: number;
  /** Bytes of all entries of an archive when unpacked. */
  readonly maxTotalBytes: number;
  /** Unpacked / packed bytes, judged only above `ratioFloorBytes`. */
  readonly maxRatio: number;
  /** An archive that unpacks to less than this is never called a bomb. */
  readonly ratioFloorBytes: number;
  /** Bytes of a zip's central directory: 20,000 entries with long names need about 4 MiB. */
  readonly maxDirectoryBytes: number;
}

export const DEFAULT_INTAKE_LIMITS: IntakeLimits = Object.freeze({
  // A whole-body dynamic study has some thousand instances; 100,000 entries are an attack on the directory reader.
  maxEntries: 20_000,
  maxFiles: 200_000,
  // One read of the operating system and one zlib call end at 2^31 - 1 bytes.
  maxEntryBytes: 2 * GiB - 1,
  // Four whole-body PET/CT studies; entries are unpacked one by one, so this bounds time rather than memory.
  maxTotalBytes: 16 * GiB,
  // Images pack 2 to 5 times, sparse label maps some hundred times, deflate at most 1032 times.
  maxRatio: 400,
  ratioFloorBytes: 256 * MiB,
  maxDirectoryBytes: 64 * MiB,
});

/** Unpacked bytes that `packedBytes` may become under the ratio and entry limits: the cap for streams of unknown size. */
export function unpackedCap(packedBytes: number, limits: IntakeLimits, ceiling: number): number {
  return Math.min(ceiling, Math.max(limits.ratioFloorBytes, Math.floor(packedBytes * limits.maxRatio)));
}

export function ratioExceeded(unpacked: number, packed: number, limits: IntakeLimits): boolean {
  return unpacked > limits.ratioFloorBytes && unpacked > packed * limits.maxRatio;
}
