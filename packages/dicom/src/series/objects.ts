/** DICOM objects that are no images to make a volume of: listed with the scan, read by others. */
import type { Dataset } from '../dataset/dataset.js';
import type { InstanceSource } from './source.js';

export type DicomObjectKind =
  | 'RTSTRUCT'
  | 'RTPLAN'
  | 'RTDOSE'
  | 'SEG'
  | 'SR'
  | 'PARAMETRIC-MAP'
  | 'REGISTRATION'
  | 'PRESENTATION'
  | 'DOCUMENT'
  | 'DICOMDIR'
  | 'NO-PIXELS'
  | 'OTHER';

export interface DicomObject {
  readonly kind: DicomObjectKind;
  readonly source: InstanceSource;
  /** Attributes as far as they were read; a large object has to be read again for its content. */
  readonly header: Dataset;
  readonly SOPClassUID: string;
  readonly SOPInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly FrameOfReferenceUID: string;
  readonly Modality: string;
}

const STORAGE = '1.2.840.10008.5.1.4.1.1.';
/** PS3.4 B.5: SOP classes by the part behind the storage root. */
const BY_CLASS: ReadonlyMap<string, DicomObjectKind> = new Map<string, DicomObjectKind>([
  ['481.3', 'RTSTRUCT'],
  ['481.5', 'RTPLAN'],
  ['481.8', 'RTPLAN'],
  ['481.2', 'RTDOSE'],
  ['66.4', 'SEG'],
  ['66.7', 'SEG'],
  ['66.5', 'OTHER'],
  ['66', 'OTHER'],
  ['66.1', 'REGISTRATION'],
  ['66.3', 'REGISTRATION'],
  ['67', 'OTHER'],
  ['30', 'PARAMETRIC-MAP'],
  ['104.1', 'DOCUMENT'],
  ['104.2', 'DOCUMENT'],
]);
const BY_MODALITY: ReadonlyMap<string, DicomObjectKind> = new Map<string, DicomObjectKind>([
  ['RTSTRUCT', 'RTSTRUCT'],
  ['RTPLAN', 'RTPLAN'],
  ['RTDOSE', 'RTDOSE'],
  ['SEG', 'SEG'],
  ['SR', 'SR'],
  ['KO', 'SR'],
  ['PR', 'PRESENTATION'],
  ['REG', 'REGISTRATION'],
  ['DOC', 'DOCUMENT'],
]);
const MEDIA_DIRECTORY = '1.2.840.10008.1.3.10';

/** `undefined`: an image, or something unknown that may be one. */
export function objectKind(SOPClassUID: string, Modality: string): DicomObjectKind | undefined {
  if (SOPClassUID === MEDIA_DIRECTORY) return 'DICOMDIR';
  if (SOPClassUID.startsWith(STORAGE)) {
    const known = SOPClassUID.slice(STORAGE.length);
    if (known.startsWith('88.')) return 'SR';
    if (known.startsWith('11.')) return 'PRESENTATION';
    const kind = BY_CLASS.get(known);
    if (kind) return kind;
  }
  return BY_MODALITY.get(Modality);
}
