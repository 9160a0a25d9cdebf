/** The phantom as a study on disk: images, and the truth as RTSTRUCT, SEG and NIfTI beside them. */
import { assembleSeries, type Provenance, referenceFrom, scanSources, uidFrom } from '@isocenter/dicom';
import { bufferSource } from '@isocenter/formats';
import type { Watch } from '@isocenter/volume';
import type { EncodedFile, SegmentationResult } from '../encoders/encoder.js';
import { encodersFor } from '../encoders/encoders.js';
import { makePhantom, type PhantomOptions } from './make-phantom.js';

/** The truth carries a fixed time, so that the same options give the same bytes. */
const TIME_OF_TRUTH = new Date(Date.UTC(2020, 0, 1, 12));

/** Files under `images/` and `truth/`. Throws PhantomError, DicomError. */
export async function makePhantomStudy(
  options: PhantomOptions,
  softwareVersion: string,
  watch: Watch = {},
): Promise<EncodedFile[]> {
  const phantom = await makePhantom(options, watch);
  const scan = await scanSources(
    phantom.files.map(({ name, bytes }) => bufferSource(bytes, name)),
    watch,
  );
  const run = `phantom ${JSON.stringify(options)}`;
  const provenance: Provenance = {
    modelName: 'phantom-truth',
    modelVersion: softwareVersion,
    weightsHash: '',
    configurationHash: '',
    runUID: uidFrom(run),
    softwareVersion,
  };
  const result: SegmentationResult = {
    segmentation: phantom.segmentation,
    image: phantom.volume,
    modality: options.kind === 'head' ? 'MR' : 'CT',
    reference: referenceFrom(assembleSeries(scan.series[0])),
    provenance,
  };
  let uids = 0;
  const uid = () => uidFrom(`${run} object ${uids++}`);
  const files: EncodedFile[] = phantom.files.map(({ name, bytes }) => ({ name: `images/${name}`, bytes }));
  for (const encoder of encodersFor(['rtstruct', 'seg', 'nifti']))
    for (const { name, bytes } of await encoder.encode(result, {
      now: TIME_OF_TRUTH,
      uid,
      stem: 'truth',
      signal: watch.signal,
    }))
      files.push({ name: `truth/${name}`, bytes });
  return files;
}
