/** One empty probability mask for each image: where a model would draw what it found on X-rays. */
import { readSeries } from '@isocenter/server/arterys';

/** @type {import('@isocenter/server/arterys').Handler} */
export default function handler({ parts }) {
  const images = readSeries(parts)
    .flatMap((series) => series.images)
    .sort((a, b) => a.index - b.index);
  const sizes = images.map(({ header }) => ({ width: header.number('Columns'), height: header.number('Rows') }));
  return {
    json: {
      protocol_version: '1.0',
      parts: images.map(({ SOPInstanceUID }, n) => ({
        label: 'Mock seg',
        binary_type: 'probability_mask',
        binary_data_shape: sizes[n],
        dicom_image: { SOPInstanceUID },
      })),
    },
    parts: sizes.map(({ width, height }) => new Uint8Array(width * height)),
  };
}
