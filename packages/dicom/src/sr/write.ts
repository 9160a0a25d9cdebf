/**
 * Comprehensive 3D SR (PS3.3 A.35.13) by the template TID 1500 "Measurement Report": volume and mean value of each structure,
 * and what a classifier said. Modules: patient, study, SR document series, enhanced equipment, SR document general and
 * content, SOP common.
 */
import type { Structure } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { DicomError } from '../dataset/errors.js';
import { writeDicom } from '../dataset/serialize.js';
import { ANATOMICAL_STRUCTURE, codeItem } from '../iod/code.js';
import { localDateTime } from '../iod/date-time.js';
import { addCommonModules, type ObjectOptions } from '../iod/modules.js';
import {
  deviceUIDOf,
  manufacturerOf,
  modelId,
  type Provenance,
  parametersOf,
  serialNumberOf,
} from '../iod/provenance.js';
import { identified, instanceItem, seriesItems } from '../iod/references.js';
import { distinctNames } from '../iod/text.js';
import type { ReferenceSeries } from '../series/reference.js';
import { CONCEPTS as C, ENGLISH, HOUNSFIELD, MILLILITRE } from './concepts.js';
import { codeContent, container, imageContent, numberContent, textContent, uidContent } from './content.js';

export const COMPREHENSIVE_3D_SR_STORAGE = '1.2.840.10008.5.1.4.1.1.88.34';

/** What is said of one structure. */
export interface StructureMeasurement {
  readonly structure: Structure;
  readonly volumeMl: number;
  /** Mean over the structure, in HU; left out for other images and empty structures. */
  readonly meanHU?: number;
  /** Segment of `segmentation` that was measured. */
  readonly segmentNumber?: number;
  /** Tracking UID of that segment; a new one when absent. */
  readonly trackingUID?: string;
}

/** What a classifier said; each probability 0..1. */
export interface ClassificationStatement {
  readonly title: string;
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

export interface MeasurementReport {
  readonly measurements: readonly StructureMeasurement[];
  readonly classification?: ClassificationStatement;
  /** The SEG that the measurements were taken on, of this study; `measurements` then name its segments. */
  readonly segmentation?: {
    readonly SOPClassUID: string;
    readonly SOPInstanceUID: string;
    readonly SeriesInstanceUID: string;
  };
}

const SIGNIFICANT_DIGITS = 6;
const PERCENT = 100;

/** The file bytes of a report on `reference`. Throws DicomError 'invalid-value' for numbers that are not finite. */
export function writeMeasurementReport(
  report: MeasurementReport,
  given: ReferenceSeries,
  options: ObjectOptions,
): Uint8Array {
  const reference = identified(given, options.uid);
  const dataset = new Dataset();
  addCommonModules(dataset, COMPREHENSIVE_3D_SR_STORAGE, 'SR', reference, {
    ...options,
    seriesNumber: options.seriesNumber ?? 1,
  });
  const { date, time } = localDateTime(options.now, dataset);
  dataset.set('ReferencedPerformedProcedureStepSequence', undefined);
  dataset.set('InstanceNumber', 1);
  dataset.set('ContentDate', date);
  dataset.set('ContentTime', time);
  dataset.set('CompletionFlag', 'COMPLETE');
  dataset.set('PreliminaryFlag', 'PRELIMINARY');
  dataset.set('VerificationFlag', 'UNVERIFIED');
  dataset.set('PerformedProcedureCodeSequence', undefined);
  const series = evidence(report, reference);
  if (series.length > 0) {
    const study = new Dataset().set('StudyInstanceUID', reference.StudyInstanceUID);
    dataset.set('CurrentRequestedProcedureEvidenceSequence', [study.set('ReferencedSeriesSequence', series)]);
  }
  addRoot(dataset, report, reference, options);
  return writeDicom(dataset);
}

/** Everything that the tree points to, by series (PS3.3 C.17.2). */
function evidence({ segmentation }: MeasurementReport, reference: ReferenceSeries): Dataset[] {
  const series = [...seriesItems(reference, 'ReferencedSOPSequence')];
  if (segmentation)
    series.push(
      new Dataset()
        .set('SeriesInstanceUID', segmentation.SeriesInstanceUID)
        .set('ReferencedSOPSequence', [instanceItem(segmentation)]),
    );
  return series;
}

function addRoot(
  dataset: Dataset,
  report: MeasurementReport,
  reference: ReferenceSeries,
  options: ObjectOptions,
): void {
  const { provenance } = options;
  dataset.set('ValueType', 'CONTAINER');
  dataset.set('ConceptNameCodeSequence', [codeItem(C.report)]);
  dataset.set('ContinuityOfContent', 'SEPARATE');
  const template = new Dataset().set('MappingResource', 'DCMR').set('TemplateIdentifier', '1500');
  dataset.set('ContentTemplateSequence', [template]);
  const names = distinctNames(
    report.measurements.map(({ structure }) => structure.name),
    'Structure',
  );
  const groups = report.measurements.map((measurement, n) => group(measurement, names[n], report, reference, options));
  const content = [
    codeContent('HAS CONCEPT MOD', C.language, ENGLISH),
    ...observer(provenance),
    codeContent('HAS CONCEPT MOD', C.procedureReported, C.imagingProcedure),
  ];
  if (groups.length > 0) content.push(container('CONTAINS', C.measurements, groups));
  if (report.classification) content.push(evaluations(report.classification));
  dataset.set('ContentSequence', content);
}

/** TID 1004: the device that made the observations is the model. */
function observer(provenance: Provenance): Dataset[] {
  return [
    codeContent('HAS OBS CONTEXT', C.observerType, C.device),
    uidContent('HAS OBS CONTEXT', C.deviceUID, deviceUIDOf(provenance)),
    textContent('HAS OBS CONTEXT', C.deviceName, modelId(provenance)),
    textContent('HAS OBS CONTEXT', C.deviceManufacturer, manufacturerOf(provenance)),
    textContent('HAS OBS CONTEXT', C.deviceModel, modelId(provenance)),
    textContent('HAS OBS CONTEXT', C.deviceSerialNumber, serialNumberOf(provenance)),
  ];
}

/** TID 1411 where the segment is known, else TID 1501. */
function group(
  measurement: StructureMeasurement,
  name: string,
  { segmentation }: MeasurementReport,
  reference: ReferenceSeries,
  options: ObjectOptions,
): Dataset {
  const { structure, volumeMl, meanHU, segmentNumber } = measurement;
  const { provenance } = options;
  const items = [
    textContent('HAS OBS CONTEXT', C.trackingIdentifier, name),
    uidContent('HAS OBS CONTEXT', C.trackingUID, measurement.trackingUID ?? options.uid()),
    codeContent('CONTAINS', C.finding, structure.code ?? structure.category ?? ANATOMICAL_STRUCTURE),
    ...findingSite(structure),
  ];
  const bySegment = segmentation !== undefined && segmentNumber !== undefined;
  if (bySegment) {
    items.push(imageContent('CONTAINS', C.referencedSegment, { ...segmentation, segmentNumber }));
    items.push(uidContent('CONTAINS', C.sourceSeries, reference.SeriesInstanceUID));
  }
  const algorithm = [
    textContent('HAS CONCEPT MOD', C.algorithmName, provenance.modelName),
    textContent('HAS CONCEPT MOD', C.algorithmVersion, provenance.modelVersion),
    textContent('HAS CONCEPT MOD', C.algorithmParameters, parametersOf(provenance)),
  ];
  items.push(numberContent('CONTAINS', C.volume, rounded(volumeMl, 'volume'), MILLILITRE, algorithm));
  if (meanHU !== undefined)
    items.push(
      numberContent('CONTAINS', C.attenuation, rounded(meanHU, 'mean'), HOUNSFIELD, [
        codeContent('HAS CONCEPT MOD', C.derivation, C.mean),
      ]),
    );
  const made = container('CONTAINS', C.group, items);
  const template = new Dataset().set('MappingResource', 'DCMR').set('TemplateIdentifier', bySegment ? '1411' : '1501');
  return made.set('ContentTemplateSequence', [template]);
}

/** SNOMED CT, and SRT as older models say it: left, right, right and left, unilateral (CID 244). */
const LATERALITIES = ['7771000', '24028007', '51440002', '66459002', 'G-A101', 'G-A100', 'G-A102', 'G-A103'];

/** A left lung is the finding 'Lung' at the site 'Lung', left: without the site two lungs would read the same. */
function findingSite({ code, category, modifiers }: Structure): readonly Dataset[] {
  const anatomical = category === undefined || category.value === ANATOMICAL_STRUCTURE.value;
  if (!code || !anatomical || !modifiers || modifiers.length === 0) return [];
  const children = modifiers.map((modifier) =>
    codeContent('HAS CONCEPT MOD', LATERALITIES.includes(modifier.value) ? C.laterality : C.topography, modifier),
  );
  return [codeContent('HAS CONCEPT MOD', C.findingSite, code, children)];
}

function evaluations({ title, classes }: ClassificationStatement): Dataset {
  const lines = [...classes]
    .sort((a, b) => b.probability - a.probability)
    .map(({ name, probability }) => `${title}: ${name} ${rounded(probability * PERCENT, 'probability')} %`);
  return container(
    'CONTAINS',
    C.qualitative,
    lines.map((line) => textContent('CONTAINS', C.comment, line)),
  );
}

function rounded(value: number, what: string): number {
  if (!Number.isFinite(value))
    throw new DicomError('invalid-value', `The ${what} of a structure is not a finite number.`);
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}
