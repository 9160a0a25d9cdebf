/** The two ways in which we fill a structure set: our own, and the one that InnerEye clients know (protocols 1.8). */
import type { Dataset } from '../dataset/dataset.js';
import { type DateTime, localDateTime, utcDateTime } from '../iod/date-time.js';
import { manufacturerOf, modelId, type Provenance, softwareVersionsOf } from '../iod/provenance.js';
import { plainText } from '../iod/text.js';

export type RtstructProfile = 'strict' | 'innereye';

export interface ProfileRules {
  readonly softwareVersions: (provenance: Provenance) => string | readonly string[];
  readonly manufacturer: (provenance: Provenance) => string;
  readonly structureSetDateTime: (now: Date, dataset: Dataset) => DateTime;
  readonly defaultLabel: string;
  /** Series, structure set and ROI descriptions, ROI volume, approval, codes: more than InnerEye wrote. */
  readonly descriptions: boolean;
  readonly generationAlgorithm: string;
  readonly firstObservationNumber: number;
  readonly interpreter: string;
  /** An empty structure: a Contour Sequence without items, or none. */
  readonly emptyContourSequence: boolean;
  readonly trimDecimals: boolean;
  readonly interpretedType: (type: string) => string;
  /** Class in RT Referenced Study Sequence: retired classes both, since study management is; clients look at neither. */
  readonly referencedStudyClass: string;
}

const CS_LENGTH = 16;
const INNEREYE_TYPES = ['', 'CTV', 'ORGAN', 'EXTERNAL'];
const DETACHED_STUDY_MANAGEMENT = '1.2.840.10008.3.1.2.3.1';
const STUDY_COMPONENT_MANAGEMENT = '1.2.840.10008.3.1.2.3.2';

/** Upper case letters, digits, blanks and underscores, 16 at most: what CS allows. */
function codeString(text: string): string {
  return plainText(text.toUpperCase().replace(/[^A-Z0-9 _]/g, '_'), CS_LENGTH);
}

export const PROFILES: Readonly<Record<RtstructProfile, ProfileRules>> = {
  strict: {
    softwareVersions: softwareVersionsOf,
    manufacturer: manufacturerOf,
    structureSetDateTime: localDateTime,
    defaultLabel: 'Isocenter',
    descriptions: true,
    generationAlgorithm: 'AUTOMATIC',
    firstObservationNumber: 1,
    interpreter: '',
    emptyContourSequence: false,
    trimDecimals: true,
    interpretedType: codeString,
    referencedStudyClass: DETACHED_STUDY_MANAGEMENT,
  },
  innereye: {
    softwareVersions: modelId,
    manufacturer: (provenance) => provenance.manufacturer || 'Default_Manufacturer',
    structureSetDateTime: utcDateTime,
    defaultLabel: 'unknown',
    descriptions: false,
    generationAlgorithm: 'SEMIAUTOMATIC',
    firstObservationNumber: 0,
    interpreter: 'Default_Interpreter',
    emptyContourSequence: true,
    trimDecimals: false,
    interpretedType: (type) => (INNEREYE_TYPES.includes(type) ? type : ''),
    referencedStudyClass: STUDY_COMPONENT_MANAGEMENT,
  },
};
