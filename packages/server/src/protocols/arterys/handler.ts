/**
 * What an integrator writes: `export default (request) => ({ json, parts })`. The types follow the fields of Arterys' protocol
 * (specs/protocols.md 4.4); check-answer.ts holds every answer to them before a byte of it is sent.
 */
import type { Json } from './json-text.js';
import type { TaggedLogger } from './tagged-logger.js';

export interface HandlerRequest {
  /** First part: `studyUID`, perhaps `inference_command`, and options as the viewer sends them. */
  readonly json: Readonly<Record<string, Json>>;
  /** The others in their order: attachments, then DICOM files. Yours to change. */
  readonly parts: readonly Buffer[];
  /** SHA-256 of all parts together, 64 hex digits: what the log knows the request by. */
  readonly inputHash: string;
  /** Its lines are tagged with the input's hash. */
  readonly logger: TaggedLogger;
}

export interface HandlerAnswer {
  readonly json: AnswerJson;
  /** One for each entry of `json.parts`, in the same order: bytes 0–255 of a mask, or a DICOM file. */
  readonly parts?: readonly (Uint8Array | Uint8ClampedArray | ArrayBuffer)[];
}

export type Handler = (request: HandlerRequest) => HandlerAnswer | Promise<HandlerAnswer>;

/** Column and row; from 0, in pixels. */
export type Pixel = readonly [column: number, row: number];

export const maskTypes = ['probability_mask', 'boolean_mask', 'heatmap', 'numeric_label_mask'] as const;
export const dicomTypes = ['dicom', 'dicom_secondary_capture', 'dicom_structured_report', 'dicom_gsps'] as const;
export type MaskType = (typeof maskTypes)[number];
export type DicomType = (typeof dicomTypes)[number];

export interface AnswerJson {
  readonly protocol_version: '1.0';
  readonly parts: readonly AnswerPart[];
  readonly bounding_boxes_2d?: readonly BoundingBox[];
  readonly linear_measurements_2d?: readonly LinearMeasurement[];
  /** Shown as it is. */
  readonly study_ml_json?: Readonly<Record<string, Json>>;
  /** By SeriesInstanceUID. */
  readonly series_ml_json?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly palettes?: Readonly<Record<string, Palette>>;
  readonly [further: string]: unknown;
}

/** Columns fastest, then rows, slices, time points. */
export type MaskShape =
  | { readonly timepoints: number; readonly depth: number; readonly width: number; readonly height: number }
  | { readonly width: number; readonly height: number };

export interface AnswerPart {
  readonly label: string;
  readonly binary_type: MaskType | DicomType;
  /** Of masks. */
  readonly binary_data_shape?: MaskShape;
  /** Of a mask over a series. */
  readonly SeriesInstanceUID?: string;
  /** Of a mask over one image. */
  readonly dicom_image?: { readonly SOPInstanceUID: string; readonly frame_number?: number };
  readonly probability_threshold?: number;
  /** Of a heat map: a key of `palettes`. */
  readonly palette?: string;
  /** Of a label mask: number → name. */
  readonly label_map?: Readonly<Record<string, string>>;
  readonly dicomConformance?: {
    readonly recommended: readonly { readonly description: string; readonly compliant: boolean }[];
  };
  readonly [further: string]: unknown;
}

export interface BoundingBox {
  readonly label: string;
  readonly SOPInstanceUID: string;
  readonly top_left: Pixel;
  readonly bottom_right: Pixel;
}

export interface LinearMeasurement {
  readonly SOPInstanceUID: string;
  readonly frame_number?: number;
  readonly label: string;
  readonly coordinates_type: 'pixel' | 'world';
  readonly start: readonly number[];
  readonly end: readonly number[];
}

export interface Palette {
  readonly type: 'anchorpoints';
  /** Thresholds from 0 to 1, rising; red, green, blue and opacity from 0 to 255. */
  readonly data: readonly { readonly threshold: number; readonly color: readonly [number, number, number, number] }[];
}
