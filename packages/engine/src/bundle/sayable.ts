/** Words from a study that may stand in a message: only those that a standard lists, never what somebody typed there instead. */

/** Defined terms of Modality (PS3.3 C.7.3.1.1.1) that images and what belongs to them have. */
const MODALITIES = new Set(
  (
    'ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DMS DG DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT IVUS ' +
    'KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE ' +
    'RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC'
  ).split(' '),
);
/** Of Rescale Type (PS3.3 C.11.1.1.2), and what our readers say where a file says nothing. */
const UNITS = new Set([
  'HU',
  'OD',
  'US',
  'MGML',
  'Z_EFF',
  'ED',
  'EDW',
  'HU_MOD',
  'PCT',
  'SUV',
  'SUVbw',
  'raw',
  'arbitrary',
  'BQML',
  'CNTS',
]);

export function sayableModality(modality: string): string {
  if (modality === '') return 'no modality';
  return MODALITIES.has(modality) ? modality : 'an unknown modality';
}

export function sayableUnits(units: string): string {
  return UNITS.has(units) ? units : 'other units';
}
