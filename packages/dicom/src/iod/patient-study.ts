/** Patient (PS3.3 C.7.1.1), General Study (C.7.2.1) and Patient Study (C.7.2.2): what every object of a study repeats. */
import type { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import type { ReferenceSeries } from '../series/reference.js';
import { plainText, SH_LENGTH } from './text.js';

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
  // Nobody finds a study by its Study ID, so one that is too long for SH is cut; Patient ID and Accession Number, by which
  // patients and orders are found, stay as they are.
  const studyID = dataset.string('StudyID') ?? '';
  if (studyID.length > SH_LENGTH) dataset.set('StudyID', plainText(studyID, SH_LENGTH));
  stateDeidentification(dataset);
}

/** Type 1C where Patient Identity Removed is YES: archives say YES and not how; we keep the YES and say that we do not know. */
function stateDeidentification(dataset: Dataset): void {
  if (dataset.string('PatientIdentityRemoved') !== 'YES') return;
  if (dataset.items('DeidentificationMethodCodeSequence').length === 0)
    dataset.delete('DeidentificationMethodCodeSequence');
  if (dataset.has('DeidentificationMethodCodeSequence') || dataset.string('DeidentificationMethod')) return;
  dataset.set('DeidentificationMethod', 'Not stated in the source images');
}
