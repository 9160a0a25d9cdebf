/** For tests: networks that answer the mean of what they are shown, and images whose means are known. */
import { Dataset, uidFrom, writeDicom } from '@isocenter/dicom';
import { meanNetwork } from './onnx-files.suite.js';

/** Stored value that becomes zero, and the range of the network's values around it. */
const MIDDLE = 2048;

interface RawModel {
  readonly form: object;
  readonly bytes: Buffer;
}

const window = { kind: 'window', from: 0, to: 2 * MIDDLE, low: -1, high: 1 };

/** Two classes by the mean of one image. */
export const radiographClassifier: RawModel = {
  form: {
    kind: 'classification',
    channels: [{ name: 'xray', modalities: ['CR'] }],
    classes: ['dark', 'bright'],
    intensity: window,
  },
  bytes: meanNetwork(['rows', 'columns'], 2),
};

/** Two classes by the mean of a volume. */
export const volumeClassifier: RawModel = {
  form: {
    kind: 'classification',
    channels: [{ name: 'ct', modalities: ['CT'] }],
    classes: ['air', 'tissue'],
    intensity: { kind: 'window', from: -1000, to: 1000, low: -1, high: 1 },
  },
  bytes: meanNetwork(['i', 'j', 'k'], 2),
};

/** The mean of a volume. */
export const volumeMeasure: RawModel = {
  form: { kind: 'regression', channels: [{ name: 'ct', modalities: ['CT'] }], classes: ['mean HU'] },
  bytes: meanNetwork(['i', 'j', 'k'], 1),
};

/** What the classifiers say of an image whose values, brought to −1..1, have this mean: [first, second] by softmax. */
export function classesOfMean(mean: number): readonly [number, number] {
  const second = 1 / (1 + Math.exp(-2 * mean));
  return [1 - second, second];
}

/** A computed radiograph of one value: no position, no orientation, no spacing. Its mean is value / 2048 − 1. */
export function radiograph(value: number, name: string, edit: (dataset: Dataset) => void = () => {}): Uint8Array {
  const rows = 24;
  const columns = 20;
  const dataset = new Dataset()
    .set('ImageType', ['ORIGINAL', 'PRIMARY'])
    .set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1')
    .set('SOPInstanceUID', radiographUID(name))
    .set('Modality', 'CR')
    .set('PatientName', 'Roentgen^Anna')
    .set('StudyInstanceUID', uidFrom('study of radiographs'))
    .set('SeriesInstanceUID', uidFrom('series of radiographs'))
    .set('SeriesNumber', 1)
    .set('SamplesPerPixel', 1)
    .set('PhotometricInterpretation', 'MONOCHROME2')
    .set('Rows', rows)
    .set('Columns', columns)
    .set('BitsAllocated', 16)
    .set('BitsStored', 16)
    .set('HighBit', 15)
    .set('PixelRepresentation', 0)
    .set('PixelData', new Uint8Array(new Uint16Array(rows * columns).fill(value).buffer), 'OW');
  edit(dataset);
  return writeDicom(dataset);
}

export const radiographUID = (name: string): string => uidFrom(`radiograph ${name}`);
export const meanOf = (value: number): number => value / MIDDLE - 1;
