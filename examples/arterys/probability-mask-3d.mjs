/** One probability mask over the series of the first image: a block that grows from slice to slice. */
import { readSeries } from '@isocenter/server/arterys';

/** @type {import('@isocenter/server/arterys').Handler} */
export default function handler({ parts, logger }) {
  const [series] = readSeries(parts);
  if (!series) throw new Error('the request has no image');
  const { header } = series.images[0];
  const width = header.number('Columns');
  const height = header.number('Rows');
  const depth = parts.length;
  const mask = new Uint8Array(width * height * depth);
  for (let slice = 0; slice < depth; slice++) {
    const halfWidth = Math.floor((slice / depth) * (width / 2));
    const halfHeight = Math.floor((slice / depth) * (height / 2));
    const left = Math.floor(width / 2) - halfWidth;
    for (let row = Math.floor(height / 2) - halfHeight; row < Math.floor(height / 2) + halfHeight; row++) {
      const start = (slice * height + row) * width + left;
      mask.fill(255, start, start + 2 * halfWidth);
    }
  }
  logger.info(`a mask of ${depth} slices`);
  return {
    json: {
      protocol_version: '1.0',
      parts: [
        {
          label: 'Mock seg',
          binary_type: 'probability_mask',
          binary_data_shape: { timepoints: 1, depth, width, height },
          SeriesInstanceUID: series.SeriesInstanceUID,
        },
      ],
    },
    parts: [mask],
  };
}
