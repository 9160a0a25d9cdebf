/** Patient (PS3.3 C.7.1.1), General Study (C.7.2.1) and Patient Study (C.7.2.2): what every object of a study repeats. */
import type { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import type { ReferenceSeries } from '../series/reference.js';

/** Type 2: present even when the images do not know them. */
const ALWAYS: readonly Keyword[] = [
  'PatientName',
  'PatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyDate',
  'StudyTime',
  'ReferringPhysicianName',
  'StudyID',
  'AccessionNumber',
];
/** Repeated when the images have them. What says that the study is de-identified must not get lost. */
const WHEN_KNOWN: readonly Keyword[] = [
  'StudyDescription',
  'IssuerOfPatientID',
  'TimezoneOffsetFromUTC',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'PatientIdentityRemoved',
  'DeidentificationMethod',
  'DeidentificationMethodCodeSequence',
  'LongitudinalTemporalInformationModified',
  'PatientSpeciesDescription',
  'ClinicalTrialSponsorName',
  'ClinicalTrialProtocolID',
  'ClinicalTrialProtocolName',
  'ClinicalTrialSiteID',
  'ClinicalTrialSiteName',
  'ClinicalTrialSubjectID',
];

/** Copies the patient and study of the reference series; text keeps its letters whatever its character set. */
export function addPatientAndStudy(dataset: Dataset, reference: ReferenceSeries): void {
  dataset.copyFrom(reference.header, [...ALWAYS, ...WHEN_KNOWN]);
  for (const keyword of ALWAYS) if (!dataset.has(keyword)) dataset.set(keyword, undefined);
  dataset.set('StudyInstanceUID', reference.StudyInstanceUID);
}
