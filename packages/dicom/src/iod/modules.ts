/** The modules that all our objects share (PS3.3 C.7.3 to C.7.5, C.12.1): series, equipment, frame of reference, SOP common. */
import type { Dataset } from '../dataset/dataset.js';
import type { ReferenceSeries } from '../series/reference.js';
import { localDateTime } from './date-time.js';
import { addPatientAndStudy } from './patient-study.js';
import {
  addContributingEquipment,
  deviceUIDOf,
  manufacturerOf,
  modelId,
  type Provenance,
  serialNumberOf,
  softwareVersionsOf,
} from './provenance.js';
import { LO_LENGTH, plainText } from './text.js';

/** What every writer is told. Clock and UIDs come in from outside, so that equal input gives equal bytes. */
export interface ObjectOptions {
  readonly provenance: Provenance;
  readonly now: Date;
  /** A new UID at each call. */
  readonly uid: () => string;
  /** Series Description; default: what made it. */
  readonly seriesDescription?: string;
  /** Series Number; empty where the IOD allows it, else 1, when absent. */
  readonly seriesNumber?: number;
}

export function addSopCommon(dataset: Dataset, SOPClassUID: string, options: ObjectOptions): void {
  const { date, time } = localDateTime(options.now, dataset);
  dataset.set('SOPClassUID', SOPClassUID);
  dataset.set('SOPInstanceUID', options.uid());
  dataset.set('InstanceCreationDate', date);
  dataset.set('InstanceCreationTime', time);
  addContributingEquipment(dataset, options.provenance, options.now);
}

export function addSeries(dataset: Dataset, Modality: string, options: ObjectOptions): void {
  const { date, time } = localDateTime(options.now, dataset);
  dataset.set('Modality', Modality);
  dataset.set('SeriesInstanceUID', options.uid());
  dataset.set('SeriesNumber', options.seriesNumber);
  dataset.set('SeriesDate', date);
  dataset.set('SeriesTime', time);
  dataset.set('SeriesDescription', plainText(options.seriesDescription ?? modelId(options.provenance), LO_LENGTH));
}

/** General Equipment and, since all are filled, Enhanced General Equipment (C.7.5.2). */
export function addEquipment(dataset: Dataset, provenance: Provenance): void {
  dataset.set('Manufacturer', manufacturerOf(provenance));
  dataset.set('ManufacturerModelName', plainText(provenance.modelName, LO_LENGTH) || 'Isocenter');
  dataset.set('DeviceSerialNumber', serialNumberOf(provenance));
  dataset.set('DeviceUID', deviceUIDOf(provenance));
  dataset.set('SoftwareVersions', softwareVersionsOf(provenance));
}

/** Frame of Reference (C.7.4.1); `frameOfReferenceUID` is the images' own or one made for images that name none. */
export function addFrameOfReference(dataset: Dataset, reference: ReferenceSeries, frameOfReferenceUID: string): void {
  dataset.set('FrameOfReferenceUID', frameOfReferenceUID);
  dataset.copyFrom(reference.header, ['PositionReferenceIndicator']);
  if (!dataset.has('PositionReferenceIndicator')) dataset.set('PositionReferenceIndicator', undefined);
}

/** All modules above but the frame of reference, which not every object has. */
export function addCommonModules(
  dataset: Dataset,
  SOPClassUID: string,
  Modality: string,
  reference: ReferenceSeries,
  options: ObjectOptions,
): void {
  addPatientAndStudy(dataset, reference);
  addSeries(dataset, Modality, options);
  addEquipment(dataset, options.provenance);
  addSopCommon(dataset, SOPClassUID, options);
}
