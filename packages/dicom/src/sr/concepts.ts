/** Concept names and values of TID 1500 "Measurement Report" and what it includes (PS3.16), as far as we say them. */
import type { Code } from '@isocenter/volume';

const concept = (value: string, scheme: string, meaning: string): Code => Object.freeze({ value, scheme, meaning });
const dcm = (value: string, meaning: string): Code => concept(value, 'DCM', meaning);
const sct = (value: string, meaning: string): Code => concept(value, 'SCT', meaning);

export const CONCEPTS = Object.freeze({
  report: dcm('126000', 'Imaging Measurement Report'),
  language: dcm('121049', 'Language of Content Item and Descendants'),
  observerType: dcm('121005', 'Observer Type'),
  device: dcm('121007', 'Device'),
  deviceUID: dcm('121012', 'Device Observer UID'),
  deviceName: dcm('121013', 'Device Observer Name'),
  deviceManufacturer: dcm('121014', 'Device Observer Manufacturer'),
  deviceModel: dcm('121015', 'Device Observer Model Name'),
  deviceSerialNumber: dcm('121016', 'Device Observer Serial Number'),
  procedureReported: dcm('121058', 'Procedure reported'),
  imagingProcedure: sct('363679005', 'Imaging procedure'),
  measurements: dcm('126010', 'Imaging Measurements'),
  group: dcm('125007', 'Measurement Group'),
  trackingIdentifier: dcm('112039', 'Tracking Identifier'),
  trackingUID: dcm('112040', 'Tracking Unique Identifier'),
  finding: dcm('121071', 'Finding'),
  findingSite: sct('363698007', 'Finding Site'),
  laterality: sct('272741003', 'Laterality'),
  topography: sct('106233006', 'Topographical modifier'),
  referencedSegment: dcm('121191', 'Referenced Segment'),
  sourceSeries: dcm('121232', 'Source series for segmentation'),
  algorithmName: dcm('111001', 'Algorithm Name'),
  algorithmVersion: dcm('111003', 'Algorithm Version'),
  algorithmParameters: dcm('111002', 'Algorithm Parameters'),
  volume: sct('118565006', 'Volume'),
  attenuation: dcm('112031', 'Attenuation Coefficient'),
  derivation: dcm('121401', 'Derivation'),
  mean: sct('373098007', 'Mean'),
  qualitative: concept('C0034375', 'UMLS', 'Qualitative Evaluations'),
  comment: dcm('121106', 'Comment'),
});

export const ENGLISH = concept('eng', 'RFC5646', 'English');
export const MILLILITRE = concept('ml', 'UCUM', 'Milliliter');
export const HOUNSFIELD = concept("[hnsf'U]", 'UCUM', 'Hounsfield unit');
