/**
 * What is in a heap of files: image series (in parts that can share a grid), other DICOM objects, things that are not
 * DICOM, and damaged DICOM. Headers only; the order and the names of the sources do not matter to the result.
 */
import { type Failure, isFailure, type Watch } from '@isocenter/volume';
import { DicomError } from '../dataset/errors.js';
import type { DicomFile } from '../dataset/parse.js';
import type { Frame } from './frame.js';
import { groupFrames } from './group.js';
import { readHeader } from './header.js';
import { framesOf, objectIdentity, readInstance } from './instance.js';
import { type DicomObject, objectKind } from './objects.js';
import type { Series } from './series.js';
import { forEachConcurrently, type InstanceSource, READS_IN_FLIGHT } from './source.js';

export interface Scan {
  /** Numbered from 1 in a fixed order: study, Series Number, Series Instance UID, part. */
  readonly series: readonly Series[];
  readonly objects: readonly DicomObject[];
  /** Not DICOM: readable, but nothing for us. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  /** Could not be read: damaged entries, damaged DICOM, images whose header contradicts itself. */
  readonly refused: readonly { readonly name: string; readonly failure: Failure }[];
}

/** What the scan is made from: each frame as its header describes it, whether or not another repeats it, in no order. */
export interface ListedFrames extends Omit<Scan, 'series'> {
  readonly frames: readonly Frame[];
}

/** Throws only on abort and on errors that are no Failure (defects, failing disks); everything else is in the Scan. */
export async function scanSources(sources: Iterable<InstanceSource>, watch?: Watch): Promise<Scan> {
  const { frames, ...rest } = await listFrames(sources, watch);
  return { series: await groupFrames(frames, watch), ...rest };
}

/** For those who hand images on as they are: nothing is grouped, compared or dropped. Throws as `scanSources` does. */
export async function listFrames(sources: Iterable<InstanceSource>, watch?: Watch): Promise<ListedFrames> {
  const all = [...sources];
  const frames: Frame[] = [];
  const objects: DicomObject[] = [];
  const ignored: { name: string; reason: string }[] = [];
  const refused: { name: string; failure: Failure }[] = [];
  const scanOne = async (source: InstanceSource) => {
    try {
      const file = await readHeader(source);
      if (!file) ignored.push({ name: source.name, reason: 'not a DICOM file' });
      else sortOut(file, source, frames, objects);
    } catch (error) {
      if (!isFailure(error)) throw error;
      refused.push({ name: source.name, failure: error });
    }
  };
  await forEachConcurrently(all, READS_IN_FLIGHT, scanOne, watch, 'reading headers');
  return {
    frames,
    objects: objects.sort(
      (a, b) => compare(a.SOPInstanceUID, b.SOPInstanceUID) || compare(a.source.name, b.source.name),
    ),
    ignored: ignored.sort((a, b) => compare(a.name, b.name)),
    refused: refused.sort((a, b) => compare(a.name, b.name)),
  };
}

function sortOut(file: DicomFile, source: InstanceSource, frames: Frame[], objects: DicomObject[]): void {
  const { dataset } = file;
  const identity = objectIdentity(file);
  const Modality = dataset.string('Modality') ?? '';
  const kind = dataset.has('DirectoryRecordSequence') ? 'DICOMDIR' : objectKind(identity.SOPClassUID, Modality);
  const hasPixels = file.pixelData !== undefined && dataset.has('Rows') && dataset.has('Columns');
  if (kind === undefined && hasPixels) {
    for (const frame of framesOf(readInstance(file, source))) frames.push(frame);
    return;
  }
  if (kind === undefined && (dataset.has('Rows') || file.pixelData !== undefined))
    throw new DicomError('missing-attribute', 'The image lacks its pixel data or its size.', {
      where: dataset.has('Rows') ? 'PixelData' : 'Rows',
      next: 'Send the complete image.',
    });
  objects.push({
    kind: kind ?? 'NO-PIXELS',
    source,
    header: dataset,
    ...identity,
    SeriesInstanceUID: dataset.string('SeriesInstanceUID') ?? '',
    StudyInstanceUID: dataset.string('StudyInstanceUID') ?? '',
    FrameOfReferenceUID: dataset.string('FrameOfReferenceUID') ?? '',
    Modality,
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
