/**
 * Standardised uptake value by body weight: activity concentration (BQML, decay corrected) × weight ÷ injected dose
 * decayed to the time the images are corrected to. The rules are those of the vendor-neutral procedure of the
 * Quantitative Imaging Biomarkers Alliance, with DICOM's own attributes only (PS3.3 C.8.9.1): where one is missing or
 * means something else we refuse rather than guess.
 */
import type { Dataset } from '../dataset/dataset.js';
import { SeriesError } from './errors.js';
import type { Frame } from './frame.js';
import { secondsBetween } from './times.js';

const GRAMS_PER_KILOGRAM = 1000;
/** Half-life of 20 minutes (C-11) to 3.3 days (Zr-89): a start later than this before the scan is a wrong date. */
const LONGEST_UPTAKE_SECONDS = 14 * 24 * 3600;

/** Factor that turns the rescaled values of the series into SUVbw (g/ml). Throws SeriesError `units`. */
export function suvFactor(frames: readonly Frame[]): number {
  const { header, Modality } = frames[0].instance;
  if (Modality !== 'PT') throw refusal('SUV exists for PET only', 'Modality');
  const units = header.string('Units') ?? '';
  if (units === 'GML') {
    const type = header.string('SUVType');
    if (type !== undefined && type !== 'BW') throw refusal(`The values are SUV of another type (${type})`, 'SUVType');
    return 1;
  }
  if (units !== 'BQML') throw refusal(`The values are in ${units || 'no'} units, not BQML`, 'Units');
  const corrected = header.strings('CorrectedImage');
  for (const needed of ['ATTN', 'DECY'])
    if (!corrected.includes(needed)) throw refusal(`The images are not corrected for ${needed}`, 'CorrectedImage');
  const weight = positive(header, 'PatientWeight');
  const tracer = header.items('RadiopharmaceuticalInformationSequence')[0];
  if (!tracer) throw refusal('The injected activity is not told', 'RadiopharmaceuticalInformationSequence');
  const dose = positive(tracer, 'RadionuclideTotalDose');
  return (weight * GRAMS_PER_KILOGRAM) / decayedDose(dose, frames, tracer);
}

function decayedDose(dose: number, frames: readonly Frame[], tracer: Dataset): number {
  const { header } = frames[0].instance;
  const correction = header.string('DecayCorrection') ?? '';
  // ADMIN: the images are corrected to the time of injection already.
  if (correction === 'ADMIN') return dose;
  if (correction !== 'START') throw refusal(`Decay Correction ${correction || 'is not told'}`, 'DecayCorrection');
  const halfLife = positive(tracer, 'RadionuclideHalfLife');
  const elapsed = uptakeSeconds(frames, tracer);
  return dose * 2 ** (-elapsed / halfLife);
}

/**
 * From injection to the start of the scan. Series Time is that start unless the series was made later from other images
 * (then it lies behind the first Acquisition Time, and that one is taken).
 */
function uptakeSeconds(frames: readonly Frame[], tracer: Dataset): number {
  const { header } = frames[0].instance;
  const date = header.string('SeriesDate') ?? '';
  const acquired = frames
    .map(
      ({ instance }) =>
        (instance.header.string('AcquisitionDate') ?? date) + (instance.header.string('AcquisitionTime') ?? ''),
    )
    .sort()[0];
  const series = date + (header.string('SeriesTime') ?? '');
  const scan = series !== '' && series <= acquired ? series : acquired;
  const injected =
    tracer.string('RadiopharmaceuticalStartDateTime') ??
    scan.slice(0, 8) + (tracer.string('RadiopharmaceuticalStartTime') ?? '');
  let elapsed = secondsBetween(injected, scan);
  if (elapsed === undefined)
    throw refusal('The times of injection and scan are not told', 'RadiopharmaceuticalStartTime');
  // Without a date the injection may have been before midnight.
  if (elapsed < 0 && !tracer.has('RadiopharmaceuticalStartDateTime')) elapsed += 24 * 3600;
  if (elapsed < 0 || elapsed > LONGEST_UPTAKE_SECONDS)
    throw refusal('The time of injection does not fit the time of the scan', 'RadiopharmaceuticalStartDateTime');
  return elapsed;
}

function positive(data: Dataset, keyword: 'PatientWeight' | 'RadionuclideTotalDose' | 'RadionuclideHalfLife'): number {
  const value = data.number(keyword);
  if (value === undefined || !(value > 0)) throw refusal(`${keyword} is missing`, keyword);
  return value;
}

function refusal(message: string, where: string): SeriesError {
  return new SeriesError('units', `${message}: SUV cannot be computed.`, {
    where,
    next: 'Load the volume in its stored units, or send images with complete PET attributes.',
  });
}
