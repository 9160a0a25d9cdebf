/**
 * The port of every output format. An encoder turns one result into files and, where the format holds the voxels, proves
 * that the files hold them. Example: `encoders.nifti.encode(result, options)` → one `.nii.gz` a layer.
 */
import type { Provenance, ReferenceSeries } from '@isocenter/dicom';
import { Failure, type HoleMode, type Segmentation, type Volume, type Watch } from '@isocenter/volume';
import type { Proof } from '../proof/proof.js';

export type OutputFormat = 'rtstruct' | 'seg' | 'nifti' | 'nrrd' | 'png' | 'csv' | 'sr' | 'sc' | 'masks';

export interface EncodedFile {
  /** Plain file name made by us, never from the input. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface SegmentationResult {
  readonly segmentation: Segmentation;
  /** First channel, on the segmentation's grid. */
  readonly image: Volume;
  /** DICOM Modality, where known. */
  readonly modality?: string;
  /** Unit of the image's values: 'HU', 'SUVbw' …; part of the table's heading. */
  readonly units?: string;
  /** The images that DICOM objects refer to; absent for NIfTI and NRRD input. */
  readonly reference?: ReferenceSeries;
  readonly provenance: Provenance;
}

export interface EncodeOptions extends Watch {
  readonly now: Date;
  /** A new UID at each call; DICOM formats only. */
  readonly uid: () => string;
  /** RTSTRUCT: how holes are told to readers; default 'keyhole', which every kind of reader fills alike. */
  readonly holes?: HoleMode;
  /** RTSTRUCT: pixels by which contours are drawn inside of the voxel edges (`INSET`), for readers that paint borders; default 0. */
  readonly inset?: number;
  /** RTSTRUCT profile; 'innereye' writes what InnerEye's clients look at. */
  readonly profile?: 'strict' | 'innereye';
  /** RTSTRUCT: ROI Interpreter, a person name. */
  readonly interpreter?: string;
  /** RTSTRUCT with the profile 'innereye': Software Versions, where the client knows the model by another id. */
  readonly modelId?: string;
  /** Structure Set Label or Content Label. */
  readonly label?: string;
  /** SEG: default 'binary', which overlapping structures need. */
  readonly segType?: 'binary' | 'labelmap';
  /** File name without ending; default 'segmentation'. */
  readonly stem?: string;
  /** Proofs of the formats encoded so far: the table of volumes repeats their verdict. */
  readonly proofs?: readonly Proof[];
}

/** @port its shared suite is encoder.suite.ts */
export interface Encoder {
  readonly format: OutputFormat;
  /** True when the files name the DICOM images they belong to; encode then throws `needs-dicom` without a reference. */
  readonly needsReference: boolean;
  /** The files of one result: the same input gives the same bytes. Throws EncodeError and what the writers throw. */
  encode(result: SegmentationResult, options: EncodeOptions): Promise<readonly EncodedFile[]>;
  /** Reads the files back and compares; absent for formats that do not hold the voxels. */
  prove?(files: readonly EncodedFile[], result: SegmentationResult): Promise<Proof>;
}

export type EncodeErrorKind =
  /** The format refers to DICOM images and the input was none. */
  | 'needs-dicom'
  /** There is no such format. */
  | 'unknown-format';

export class EncodeError extends Failure<EncodeErrorKind> {}

export const DEFAULT_HOLES: HoleMode = 'keyhole';

export function stemOf(options: EncodeOptions): string {
  return options.stem ?? 'segmentation';
}

/** The reference, or EncodeError `needs-dicom` that names what can be written instead. */
export function referenceOf(result: SegmentationResult, format: OutputFormat): ReferenceSeries {
  if (result.reference) return result.reference;
  throw new EncodeError('needs-dicom', `${format.toUpperCase()} refers to DICOM images, and the input holds none`, {
    where: `format ${format}`,
    next: 'Ask for nifti, nrrd, png or csv, or give the DICOM series of the image.',
  });
}
