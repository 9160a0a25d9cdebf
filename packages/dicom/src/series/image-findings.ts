/** What the images themselves (not their places) make remarkable: colour, inverted grey, lookup tables, sizes that lie, rescale. */
import { supportedTransferSyntaxes } from '../pixel/supported.js';
import { type Finding, imagesByNumber } from './findings.js';
import type { Frame, Instance } from './frame.js';
import type { Series } from './series.js';

export function imageFindings(series: Series): readonly Finding[] {
  const instances = [...new Set(series.frames.map((frame) => frame.instance))];
  return [
    ...pixelFindings(instances),
    ...transferFindings(instances),
    ...sizeFindings(instances),
    ...rescaleFindings(series),
    ...identityFindings(series.frames, instances),
    ...mosaicFindings(series.frames),
  ];
}

function pixelFindings(instances: readonly Instance[]): readonly Finding[] {
  const findings: Finding[] = [];
  const interpretations = new Set(instances.map((each) => each.PhotometricInterpretation));
  const colour = instances.some(
    (each) => each.samplesPerPixel > 1 || each.PhotometricInterpretation === 'PALETTE COLOR',
  );
  if (colour)
    findings.push({
      kind: 'colour',
      severity: 'refusal',
      message: `Colour images (${[...interpretations].join(', ')}) are no volume of measured values.`,
      next: 'Send the original grey-scale series.',
    });
  if (interpretations.has('MONOCHROME1'))
    findings.push({
      kind: 'monochrome1',
      severity: 'note',
      message: 'MONOCHROME1: low values are shown bright. Values are kept as stored, not inverted.',
    });
  if (instances.some((each) => each.header.items('ModalityLUTSequence').length > 0))
    findings.push({
      kind: 'modality-lut',
      severity: 'refusal',
      message: 'The images need a Modality LUT to turn stored into measured values; tables are not applied to volumes.',
      next: 'Export the series with Rescale Slope and Intercept.',
    });
  return findings;
}

function transferFindings(instances: readonly Instance[]): readonly Finding[] {
  const unknown = new Set(
    instances.map((each) => each.transferSyntaxUID).filter((uid) => !supportedTransferSyntaxes.get(uid)?.decode),
  );
  return [...unknown].map((uid) => ({
    kind: 'unsupported-transfer-syntax',
    severity: 'refusal',
    message: `The images are stored in transfer syntax ${uid || '(none)'}, which is not decoded.`,
    where: uid,
    next: 'Convert them to Explicit VR Little Endian, for example with dcmconv or gdcmconv.',
  }));
}

/** Padding is known to add some bytes behind the pixels; more than this share says that Rows or Columns are wrong. */
const PADDING_SHARE = 0.1;

/** Native pixel data must be as long as the header says it is: found before anything is allocated for it. */
function sizeFindings(instances: readonly Instance[]): readonly Finding[] {
  const lying = instances.filter((each) => {
    if (each.pixelBytes === undefined) return false;
    const promised = nativeBytes(each);
    return promised > each.pixelBytes || each.pixelBytes > promised * (1 + PADDING_SHARE) + 2;
  });
  if (lying.length === 0) return [];
  return [
    {
      kind: 'pixel-data-size',
      severity: 'refusal',
      message: `In ${lying.length} of ${instances.length} images Rows × Columns × frames and the length of the pixel data contradict each other.`,
      where: imagesByNumber(lying),
      next: 'The files are cut off or their header is wrong: export them again.',
    },
  ];
}

function nativeBytes(each: Instance): number {
  return (each.rows * each.columns * each.frames * each.samplesPerPixel * each.bitsAllocated) / 8;
}

function rescaleFindings(series: Series): readonly Finding[] {
  const findings: Finding[] = [];
  const distinct = new Set(series.frames.map(({ rescale }) => `${rescale?.slope ?? 1}|${rescale?.intercept ?? 0}`));
  if (distinct.size > 1)
    findings.push({
      kind: 'rescale-differs',
      severity: 'note',
      message: `Rescale Slope and Intercept differ between slices (${distinct.size} pairs); each slice is rescaled by its own.`,
    });
  const lacking = series.frames.filter((frame) => !frame.rescale).length;
  if (series.Modality === 'CT' && lacking > 0)
    findings.push({
      kind: 'missing-rescale',
      severity: 'warning',
      message: `${lacking} CT images say no Rescale Intercept; their stored values are taken for Hounsfield units.`,
    });
  return findings;
}

function identityFindings(frames: readonly Frame[], instances: readonly Instance[]): readonly Finding[] {
  const needed = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'] as const;
  // Only images with a place in the patient can have a frame of reference.
  const place = frames[0].position ? (['FrameOfReferenceUID'] as const) : [];
  const missing = [...needed, ...place].filter((name) => instances.some((each) => each[name] === ''));
  if (missing.length === 0) return [];
  return [
    {
      kind: 'missing-uid',
      severity: 'warning',
      message: `The images have no ${missing.join(', ')}; results cannot refer to them properly.`,
      next: 'Objects that must refer to the images (RTSTRUCT, SEG) need these; de-identify with a tool that replaces UIDs.',
    },
  ];
}

function mosaicFindings(frames: readonly Frame[]): readonly Finding[] {
  if (frames.some((frame) => frame.tile))
    return [
      {
        kind: 'mosaic',
        severity: 'note',
        message: 'The slices are tiles of Siemens mosaic images and were taken apart.',
      },
    ];
  if (frames.some((frame) => frame.instance.ImageType.includes('MOSAIC')))
    return [
      {
        kind: 'mosaic',
        severity: 'refusal',
        message: 'The images are Siemens mosaics, and the number or place of their tiles is not to be found.',
        next: 'Convert the series to enhanced MR or single slices on the scanner.',
      },
    ];
  return [];
}
