/** Short work on images that a request waits for: done in a child process, because the event loop only moves bytes. */
import type { SegmentedStructure } from '@isocenter/volume';
import type { ChildReply } from '../compute/child/messages.js';

/** What is in a study, and which series a model would take. */
export interface InspectChore {
  readonly kind: 'inspect';
  readonly inputPath: string;
  /** Folder of the unpacked bundle. */
  readonly modelFolder?: string;
}

/** The stored label maps (NIfTI) as one 3D Slicer segmentation, proven against them. */
export interface SlicerChore {
  readonly kind: 'slicer-segmentation';
  /** One file for each layer, in order. */
  readonly layerPaths: readonly string[];
  readonly structures: readonly SegmentedStructure[];
  readonly outputPath: string;
}

/** The self-test's synthetic patient: a zip of DICOM files. */
export interface PhantomChore {
  readonly kind: 'phantom';
  readonly outputPath: string;
}

/** The label maps that a model made of the synthetic patient, against what it was drawn from. */
export interface ComparePhantomChore {
  readonly kind: 'compare-phantom';
  readonly layerPaths: readonly string[];
  readonly structures: readonly SegmentedStructure[];
}

export type Chore = InspectChore | SlicerChore | PhantomChore | ComparePhantomChore;

/** Of `inspect`: engine's InspectReport without file names, titles and descriptions, which may name a patient. */
export interface Inspection {
  readonly series: readonly {
    readonly number: number;
    readonly SeriesInstanceUID: string;
    readonly Modality: string;
    readonly images: number;
    readonly size?: readonly number[];
    readonly spacing?: readonly number[];
    readonly axes?: string;
    readonly localiser: boolean;
    readonly usable: boolean;
    readonly findings: readonly { readonly kind: string; readonly message: string }[];
  }[];
  readonly images: readonly {
    readonly format: string;
    readonly channels: number;
    readonly size: readonly number[];
    readonly spacing: readonly number[];
    readonly axes: string;
  }[];
  readonly objects: readonly { readonly kind: string; readonly SOPInstanceUID: string }[];
  readonly ignored: number;
  readonly refused: readonly { readonly kind: string; readonly message: string; readonly next?: string }[];
  readonly choice?: {
    readonly model?: string;
    readonly reasons: readonly string[];
    readonly failure?: { readonly kind: string; readonly message: string; readonly next?: string };
  };
}

export interface ChoreAnswers {
  readonly inspect: Inspection;
  readonly 'slicer-segmentation': { readonly bytes: number };
  readonly phantom: { readonly bytes: number };
  /** Structures that both have, by name. */
  readonly 'compare-phantom': { readonly dice: Readonly<Record<string, number>> };
}

/** What the child sends: once, then it ends. */
export type ChoreMessage =
  | { readonly kind: 'answer'; readonly answer: ChoreAnswers[Chore['kind']] }
  | Omit<ChildReply & { kind: 'failure' }, 'defect'>;
