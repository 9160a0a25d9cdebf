/** zip of CT slices to a volume in HU, checksums verified. Arguments: zip. */
import { assembleSeries, loadVolume, scanSources } from '@isocenter/dicom';
import { openSources } from '@isocenter/formats';
import type { Volume } from '@isocenter/volume';
import { measured } from './measured.js';

const [path] = process.argv.slice(2);

await measured<Volume>(
  async () => {
    const opened = await openSources(path);
    try {
      const scan = await scanSources(opened.sources);
      return (await loadVolume(assembleSeries(scan.series[0]))).volume;
    } finally {
      await opened.close();
    }
  },
  {
    check({ data }) {
      let sum = 0;
      for (let n = 0; n < data.length; n++) sum += data[n];
      return sum;
    },
  },
);
