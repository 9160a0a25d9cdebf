/** What one segmentation run reports: JSON-able, no patient data, no input file names. */
import type { Finding, Provenance } from '@isocenter/dicom';
import type { StructureRow } from './encoders/structure-table.js';
import type { Proof } from './proof/proof.js';
import type { InputDescription } from './study-run.js';

export interface SegmentReport {
  readonly kind: 'segment-report';
  readonly provenance: Provenance;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly input: InputDescription;
  readonly structures: readonly StructureRow[];
  readonly proofs: readonly Proof[];
  /** Every proof is exact (also true when no format could be proven). */
  readonly exact: boolean;
  readonly findings: readonly Finding[];
  readonly reasons: readonly string[];
  /** Full paths of what was written. */
  readonly files: readonly string[];
  /** By step, and 'total'. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** Largest resident set of this process, or of the child that ran the model. */
  readonly peakMemoryBytes: number;
}
