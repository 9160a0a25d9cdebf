/** For handlers: the parts that are images, sorted into series, in the order in which they were sent, and as volumes. */
import {
  type Assembly,
  assembleSeries,
  type Dataset,
  type LoadedSeries,
  loadVolume,
  looksLikeDicom,
  objectIdentity,
  parseDicom,
  scanSources,
} from '@isocenter/dicom';
import { bufferSource } from '@isocenter/formats';
import { namelessImage } from './nameless-image.js';

export interface ImagePart {
  /** Index in `request.parts`. */
  readonly index: number;
  /** Everything before the pixel data. */
  readonly header: Dataset;
  /** Also of a file whose data set has none: then that of its file meta information (PS3.10 §7.1). */
  readonly SOPInstanceUID: string;
}

export interface SeriesOfParts {
  /** Reading it throws ArterysError `no-images` (422 for the client) where the images have none. */
  readonly SeriesInstanceUID: string;
  readonly Modality: string;
  /** In the order in which they were sent: slice s of a mask belongs to images[s]. */
  readonly images: readonly ImagePart[];
  /** Columns, Rows, slices by position in the patient, and where they lie; loads nothing. */
  assemble(): Promise<Assembly>;
  /** Pixels in measured values (HU for a CT), slices by position: `loaded.reference.slices[k]` says which image k is. */
  load(): Promise<LoadedSeries>;
}

/** Headers of the parts that are DICOM, in their order; what is none (an attachment) is left out. Throws DicomError, ArterysError `no-images`. */
export function imagesOf(parts: readonly Uint8Array[]): readonly ImagePart[] {
  return parts.flatMap((bytes, index) => {
    if (!looksLikeDicom(bytes)) return [];
    const file = parseDicom(bytes, { untilPixelData: true });
    const { SOPInstanceUID } = objectIdentity(file);
    if (SOPInstanceUID === '') throw namelessImage(index + 1);
    return [{ index, header: file.dataset, SOPInstanceUID }];
  });
}

/** Series in the order of their first image. Throws DicomError, ArterysError `no-images`; `load` throws what loadVolume throws. */
export function readSeries(parts: readonly Uint8Array[]): readonly SeriesOfParts[] {
  const series = new Map<string, ImagePart[]>();
  for (const image of imagesOf(parts)) {
    const of = image.header.string('SeriesInstanceUID') ?? '';
    series.set(of, [...(series.get(of) ?? []), image]);
  }
  return [...series].map(([uid, images]) => {
    const assemble = async (): Promise<Assembly> => {
      const sources = images.map(({ index }) => bufferSource(parts[index]!, `part ${index}`));
      const scan = await scanSources(sources, {});
      if (!scan.series[0]) throw scan.refused[0]?.failure ?? new TypeError('The parts hold no image');
      return assembleSeries(scan.series[0]);
    };
    return {
      get SeriesInstanceUID() {
        if (uid === '') throw namelessImage(images[0]!.index + 1);
        return uid;
      },
      Modality: images[0]!.header.string('Modality') ?? '',
      images,
      assemble,
      load: async () => loadVolume(await assemble()),
    };
  });
}
