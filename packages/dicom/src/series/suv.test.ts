/** Promise: SUV is computed only from complete attributes, by weight and decayed dose; everything else is refused by attribute. */
import { describe, expect, it } from 'vitest';
import { Dataset } from '../dataset/dataset.js';
import { assembleSeries } from './assemble.js';
import { loadVolume } from './load.js';
import { scanSources } from './scan.js';
import { syntheticSeries } from './synthetic.suite.js';

const DOSE = 3.7e8;
const HALF_LIFE = 6586.2;

function tracer(edit: (item: Dataset) => unknown = () => {}): Dataset {
  const item = new Dataset()
    .set('RadiopharmaceuticalStartTime', '103000')
    .set('RadionuclideTotalDose', DOSE)
    .set('RadionuclideHalfLife', HALF_LIFE);
  edit(item);
  return item;
}

function pet(edit: (dataset: Dataset) => unknown = () => {}, item = tracer()) {
  return syntheticSeries({
    slices: 3,
    edit: (dataset, k) => {
      dataset
        .set('Modality', 'PT')
        .set('Units', 'BQML')
        .set('CorrectedImage', ['DECY', 'ATTN', 'SCAT'])
        .set('DecayCorrection', 'START')
        .set('PatientWeight', 70)
        .set('SeriesDate', '20260301')
        .set('SeriesTime', '113000')
        .set('AcquisitionDate', '20260301')
        .set('AcquisitionTime', `1130${10 + k}`)
        .set('RescaleSlope', 0.5)
        .set('RescaleIntercept', 0)
        .set('RadiopharmaceuticalInformationSequence', [item])
        .set('PixelData', new Uint8Array(new Uint16Array(36).fill(1000).buffer).slice(0, 70), 'OW');
      edit(dataset);
    },
  });
}

async function suv(sources: ReturnType<typeof pet>) {
  const scan = await scanSources(sources);
  return loadVolume(assembleSeries(scan.series[0]), { suv: 'bw' });
}

/** 500 Bq/ml an hour after injection, in 70 kg. */
const expected = (500 * 70_000) / (DOSE * 2 ** (-3600 / HALF_LIFE));

describe('SUV by body weight', () => {
  it('is activity × weight ÷ dose decayed from injection to scan', async () => {
    const { volume, units } = await suv(pet());
    expect(units).toBe('SUVbw');
    expect(volume.data).toBeInstanceOf(Float32Array);
    expect(volume.data[0]).toBeCloseTo(expected, 6);
  });

  it('needs no decay where the images are corrected to the injection', async () => {
    const { volume } = await suv(pet((dataset) => dataset.set('DecayCorrection', 'ADMIN')));
    expect(volume.data[0]).toBeCloseTo((500 * 70_000) / DOSE, 6);
  });

  it('takes the first acquisition where the series was made afterwards', async () => {
    const { volume } = await suv(pet((dataset) => dataset.set('SeriesTime', '190000')));
    expect(volume.data[0]).toBeCloseTo((500 * 70_000) / (DOSE * 2 ** (-3610 / HALF_LIFE)), 6);
  });

  it('an injection before midnight is of the day before', async () => {
    const item = tracer((each) => each.set('RadiopharmaceuticalStartTime', '233000'));
    const night = (dataset: Dataset) => dataset.set('SeriesTime', '003000').set('AcquisitionTime', '003010');
    expect((await suv(pet(night, item))).volume.data[0]).toBeCloseTo(expected, 6);
  });

  it('reads a full date and time of injection', async () => {
    const item = tracer((each) => each.set('RadiopharmaceuticalStartDateTime', '20260301103000.00'));
    expect((await suv(pet(() => {}, item))).volume.data[0]).toBeCloseTo(expected, 6);
  });

  it('values that are SUV already stay as they are', async () => {
    const { volume } = await suv(pet((dataset) => dataset.set('Units', 'GML')));
    expect(volume.data[0]).toBe(500);
  });

  it.each<readonly [string, (dataset: Dataset) => unknown, string]>([
    ['counts', (dataset) => dataset.set('Units', 'CNTS'), 'Units'],
    ['SUV by lean mass', (dataset) => dataset.set('Units', 'GML').set('SUVType', 'LBM'), 'SUVType'],
    ['no attenuation correction', (dataset) => dataset.set('CorrectedImage', ['DECY']), 'CorrectedImage'],
    ['no decay correction', (dataset) => dataset.set('CorrectedImage', ['ATTN']), 'CorrectedImage'],
    ['no weight', (dataset) => dataset.delete('PatientWeight'), 'PatientWeight'],
    [
      'no tracer',
      (dataset) => dataset.delete('RadiopharmaceuticalInformationSequence'),
      'RadiopharmaceuticalInformationSequence',
    ],
    ['unknown reference of decay', (dataset) => dataset.set('DecayCorrection', 'NONE'), 'DecayCorrection'],
    ['a CT', (dataset) => dataset.set('Modality', 'CT'), 'Modality'],
  ])('refuses %s', async (_, edit, where) => {
    await expect(suv(pet(edit))).rejects.toMatchObject({ kind: 'units', where });
  });

  it('refuses an injection after the scan, and one without a dose', async () => {
    const late = tracer((each) => each.set('RadiopharmaceuticalStartDateTime', '20260301120000'));
    await expect(suv(pet(() => {}, late))).rejects.toMatchObject({ kind: 'units' });
    const unknown = tracer((each) => each.delete('RadionuclideTotalDose'));
    await expect(suv(pet(() => {}, unknown))).rejects.toMatchObject({ where: 'RadionuclideTotalDose' });
  });
});
