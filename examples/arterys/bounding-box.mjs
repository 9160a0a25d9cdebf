/** One box of five by five pixels on the first image. */
import { readSeries } from '@isocenter/server/arterys';

/** @type {import('@isocenter/server/arterys').Handler} */
export default function handler({ parts }) {
  const [series] = readSeries(parts);
  if (!series) throw new Error('the request has no image');
  return {
    json: {
      protocol_version: '1.0',
      parts: [],
      bounding_boxes_2d: [
        {
          label: 'super bbox',
          SOPInstanceUID: series.images[0].SOPInstanceUID,
          top_left: [5, 5],
          bottom_right: [10, 10],
        },
      ],
    },
  };
}
