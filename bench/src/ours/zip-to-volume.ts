/** zip of CT slices to a volume in HU, checksums verified. Arguments: zip, repeats. */
import { assembleSeries, loadVolume, scanSources } from '@isocenter/dicom';
import { openSources } from '@isocenter/formats';
import { measured } from './measured.js';

const [path, repeats] = process.argv.slice(2);

await measured(async () => {
  const opened = await openSources(path);
  try {
    const scan = await scanSources(opened.sources);
    const { volume } = await loadVolume(assembleSeries(scan.series[0]));
    let sum = 0;
    for (let n = 0; n < volume.data.length; n++) sum += volume.data[n];
    return sum;
  } finally {
    await opened.close();
  }
}, Number(repeats));
