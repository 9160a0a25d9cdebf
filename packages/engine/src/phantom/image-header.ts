/**
 * The header of the phantom's images: CT Image (PS3.3 A.3) and MR Image (A.4), complete for a validator, and plainly
 * synthetic to a person: no name, number or date of a patient is in it.
 */
import { Dataset, formatDecimal, uidFrom } from '@isocenter/dicom';
import { directionsOf, type Grid, indexToPatient, spacingOf } from '@isocenter/volume';

export type PhantomKind = 'thorax' | 'head';

export interface SeriesIdentity {
  readonly kind: PhantomKind;
  readonly seed: string;
  readonly patientPosition: string;
  readonly grid: Grid;
}

/** CT: stored value 0 is -1024 HU, the usual choice of scanners. */
export const CT_INTERCEPT = -1024;
export const BITS_STORED = 12;

const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
const DATE = '20260101';
const TIME = '120000';
/** IS holds at most 2^31 - 1; the acquisition is one for the whole series. */
const ACQUISITION = 1;

const MM_DECIMALS = 6;
const decimal = (value: number) => formatDecimal(Number(value.toFixed(MM_DECIMALS)) + 0);

/** Header of slice `k` of the grid, without the pixel module's data. `instanceNumber` is only a label for people. */
export function imageHeader(series: SeriesIdentity, k: number, instanceNumber: number): Dataset {
  const { kind, seed, grid } = series;
  const ct = kind === 'thorax';
  const uid = (what: string) => uidFrom(`isocenter phantom ${kind} ${seed} ${what}`);
  const [i, j] = directionsOf(grid.affine);
  const spacing = spacingOf(grid.affine);
  const header = new Dataset()
    .set('SOPClassUID', ct ? CT_IMAGE_STORAGE : MR_IMAGE_STORAGE)
    .set('SOPInstanceUID', uid(`instance ${k}`))
    .set('StudyInstanceUID', uid('study'))
    .set('SeriesInstanceUID', uid('series'))
    .set('FrameOfReferenceUID', uid('frame of reference'))
    .set('PositionReferenceIndicator', undefined)
    .set('PatientName', `Phantom^${ct ? 'Thorax' : 'Head'}`)
    .set('PatientID', `PHANTOM-${seed}`.slice(0, 64))
    .set('PatientBirthDate', undefined)
    .set('PatientSex', 'O')
    .set('PatientComments', 'Synthetic images, not of a person')
    .set('StudyDate', DATE)
    .set('StudyTime', TIME)
    .set('SeriesDate', DATE)
    .set('SeriesTime', TIME)
    .set('AcquisitionDate', DATE)
    .set('AcquisitionTime', TIME)
    .set('ContentDate', DATE)
    .set('ContentTime', TIME)
    .set('ReferringPhysicianName', undefined)
    .set('StudyID', 'PHANTOM')
    .set('AccessionNumber', undefined)
    .set('StudyDescription', 'Isocenter phantom')
    .set('Modality', ct ? 'CT' : 'MR')
    .set('SeriesNumber', 1)
    .set('SeriesDescription', ct ? 'Synthetic thorax' : 'Synthetic head T1')
    .set('BodyPartExamined', ct ? 'CHEST' : 'HEAD')
    .set('PatientPosition', series.patientPosition)
    .set('Manufacturer', 'Isocenter')
    .set('ManufacturerModelName', 'Phantom')
    .set('SoftwareVersions', 'phantom')
    .set('ImageType', ['ORIGINAL', 'PRIMARY', ct ? 'AXIAL' : 'OTHER'])
    .set('InstanceNumber', instanceNumber)
    .set('AcquisitionNumber', ACQUISITION)
    .set('ImagePositionPatient', indexToPatient(grid.affine, 0, 0, k).map(decimal))
    .set(
      'ImageOrientationPatient',
      [...i, ...j].map((value) => formatDecimal(value === 0 ? 0 : value)),
    )
    .set('PixelSpacing', [decimal(spacing[1]), decimal(spacing[0])])
    .set('SliceThickness', decimal(spacing[2]));
  return ct ? addCt(header) : addMr(header);
}

function addCt(header: Dataset): Dataset {
  return header
    .set('KVP', 120)
    .set('RescaleIntercept', CT_INTERCEPT)
    .set('RescaleSlope', 1)
    .set('RescaleType', 'HU')
    .set('WindowCenter', 40)
    .set('WindowWidth', 400);
}

function addMr(header: Dataset): Dataset {
  return header
    .set('ScanningSequence', 'GR')
    .set('SequenceVariant', 'SP')
    .set('ScanOptions', undefined)
    .set('MRAcquisitionType', '3D')
    .set('RepetitionTime', 8)
    .set('EchoTime', 3)
    .set('EchoTrainLength', 1)
    .set('FlipAngle', 8)
    .set('MagneticFieldStrength', 3)
    .set('WindowCenter', 400)
    .set('WindowWidth', 900);
}
