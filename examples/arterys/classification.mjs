/** What a classifier says of the first series and of the whole study; the viewer shows both as they are. */
import { readSeries } from '@isocenter/server/arterys';

/** @type {import('@isocenter/server/arterys').Handler} */
export default function handler({ parts }) {
  const [series] = readSeries(parts);
  if (!series) throw new Error('the request has no image');
  return {
    json: {
      protocol_version: '1.0',
      parts: [],
      series_ml_json: {
        [series.SeriesInstanceUID]: {
          label: 'healthy',
          value: '0.9',
          nested_labels: { condition1: '0.9', condition2: '0.2', condition3: '0.22' },
        },
      },
      study_ml_json: { label1: 'condition1', label2: 'condition2' },
    },
  };
}
