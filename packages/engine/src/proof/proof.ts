/**
 * The proof of an export (DESIGN §8): what a reader of the written bytes gets, compared voxel by voxel with the
 * segmentation they were made from. JSON-able, without patient data.
 */
import { Failure } from '@isocenter/volume';

export interface StructureProof {
  readonly name: string;
  /** Voxels in the segmentation. */
  readonly voxels: number;
  /** Voxels that the reader gets. */
  readonly readBack: number;
  /** In the segmentation, not read back. */
  readonly missing: number;
  /** Read back, not in the segmentation. */
  readonly extra: number;
  /** 2 |A ∩ B| / (|A| + |B|); 1 when both are empty. */
  readonly dice: number;
  /** Contours in the object, where it has contours. */
  readonly contours?: number;
}

/** How another kind of reader fares with the same bytes. */
export interface OtherReader {
  readonly reader: string;
  readonly exact: boolean;
  /** Structures that this reader gets wrong. */
  readonly differing: readonly { readonly name: string; readonly missing: number; readonly extra: number }[];
}

export interface Proof {
  readonly kind: 'proof';
  /** What was written: 'RTSTRUCT', 'SEG', 'NIfTI', 'NRRD'. */
  readonly object: string;
  /** File or files that were read back. */
  readonly files: readonly string[];
  /** How it was read back, as a sentence for people. */
  readonly reader: string;
  readonly structures: readonly StructureProof[];
  readonly otherReaders?: readonly OtherReader[];
  /** True when no structure misses a voxel or has one too many. */
  readonly exact: boolean;
}

/** NIfTI keeps its affine in 32-bit floats: 0.01 mm covers a metre from the origin. */
export const FLOAT_AFFINE_MM = 0.01;

export class ProofError extends Failure<'not-exact' | 'cannot-read-back'> {}

export function structureProof(
  name: string,
  voxels: number,
  readBack: number,
  common: number,
  contours?: number,
): StructureProof {
  const both = voxels + readBack;
  return Object.freeze({
    name,
    voxels,
    readBack,
    missing: voxels - common,
    extra: readBack - common,
    dice: both === 0 ? 1 : (2 * common) / both,
    ...(contours === undefined ? {} : { contours }),
  });
}

export function isExact(structures: readonly StructureProof[]): boolean {
  return structures.every(({ missing, extra }) => missing === 0 && extra === 0);
}

/** Throws ProofError `not-exact` that names each structure that came back different. */
export function requireExact(proof: Proof): void {
  if (proof.exact) return;
  const wrong = proof.structures.filter(({ missing, extra }) => missing > 0 || extra > 0);
  const list = wrong.map(({ name, missing, extra }) => `${name} (${missing} voxels missing, ${extra} too many)`);
  throw new ProofError('not-exact', `The ${proof.object} does not read back as the segmentation: ${list.join('; ')}`, {
    where: proof.files.join(', '),
    next: 'Choose another format or hole mode, or allow differences if they do not matter for this delivery.',
  });
}
