/**
 * The images of a folder in the order in which they are sent: by series, position along the slice normal, time point.
 * Pictures (PNG, JPEG) become DICOM first. What is left out, and why, is told.
 */
import { basename } from 'node:path';
import { type Frame, type Instance, listFrames } from '@isocenter/dicom';
import { type ByteSource, openSources } from '@isocenter/formats';
import { describeFailure, type Watch } from '@isocenter/volume';
import { RequestInputError } from './request-error.js';
import { isPicture, wrapPicture } from './wrap-picture.js';

export interface InputImage {
  /** File name without folders. */
  readonly name: string;
  readonly source: ByteSource;
  readonly instance: Instance;
  /** By frame number from 0. A mosaic's tiles are not places of the image and are left out. */
  readonly frames: readonly Frame[];
  /** Millimetres along the normal of its series; undefined when the image does not say where it lies. */
  readonly position: number | undefined;
}

export interface InputImages {
  readonly images: readonly InputImage[];
  /** What was left out or looks odd, one line each. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** Bytes by which a picture is known. */
const MAGIC_BYTES = 16;

/** Throws RequestInputError `no-images`, ArchiveError when the folder cannot be read. */
export async function readInputImages(path: string, watch: Watch = {}): Promise<InputImages> {
  const opened = await openSources(path);
  try {
    const sources = await withPicturesWrapped(opened.sources);
    const scan = await listFrames(sources, watch);
    const images = imagesOf(scan.frames);
    if (images.length === 0)
      throw new RequestInputError('no-images', 'There is no DICOM image, PNG or JPEG in this folder', {
        next: 'Name the folder of the images of one study.',
      });
    const notes = [
      ...scan.refused.map(
        ({ name, failure }) => `${name} is left out: ${describeFailure(failure).replaceAll('\n', ' ')}`,
      ),
      ...scan.objects.map(
        ({ source, kind }) => `${source.name} (${kind}) is no image and left out; --attachments sends it`,
      ),
      ...scan.ignored.map(({ name, reason }) => `${name} is left out: ${reason}`),
      ...doubles(images),
      ...withoutUIDs(images),
    ];
    const studies = new Set(images.map(({ instance }) => instance.StudyInstanceUID));
    if (studies.size > 1) notes.push(`The images are of ${studies.size} studies; studyUID is that of the first.`);
    return { images, notes, close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function withPicturesWrapped(sources: readonly ByteSource[]): Promise<ByteSource[]> {
  const all: ByteSource[] = [];
  let pictures = 0;
  for (const source of sources)
    if (isPicture(await source.prefix(MAGIC_BYTES))) all.push(await wrapPicture(source, 'of one request', ++pictures));
    else all.push(source);
  return all;
}

function imagesOf(frames: readonly Frame[]): InputImage[] {
  const byFile = new Map<Instance, Frame[]>();
  for (const frame of frames) {
    const known = byFile.get(frame.instance);
    if (known) known.push(frame);
    else byFile.set(frame.instance, [frame]);
  }
  const bySeries = new Map<string, { instance: Instance; frames: Frame[] }[]>();
  for (const [instance, own] of byFile) {
    const frames = own.filter(({ tile }) => tile === undefined).sort((a, b) => a.index - b.index);
    const key = `${instance.StudyInstanceUID}|${instance.SeriesInstanceUID}`;
    bySeries.set(key, [...(bySeries.get(key) ?? []), { instance, frames }]);
  }
  return [...bySeries.values()]
    .map(placed)
    .sort(([a], [b]) => bySeriesNumber(a, b))
    .flat();
}

/** The images of one series in order. Its normal is that of the image with the smallest UID: file names have no say. */
function placed(series: readonly { instance: Instance; frames: Frame[] }[]): InputImage[] {
  const [first] = [...series].sort((a, b) => (a.instance.SOPInstanceUID < b.instance.SOPInstanceUID ? -1 : 1));
  const normal = normalOf(first.frames[0]);
  return series
    .map(({ instance, frames }) => ({
      name: basename(instance.source.name),
      source: instance.source,
      instance,
      frames,
      position: normal && frames[0]?.position && dot(normal, frames[0].position),
    }))
    .sort(inOrder);
}

/** Series without a number come last; equal numbers by UID, so that the order of files has no say. */
function bySeriesNumber({ instance: a }: InputImage, { instance: b }: InputImage): number {
  const number = ({ header }: Instance) => finite(header.string('SeriesNumber')) ?? Number.MAX_SAFE_INTEGER;
  const key = ({ StudyInstanceUID, SeriesInstanceUID }: Instance) => `${StudyInstanceUID}|${SeriesInstanceUID}`;
  return number(a) - number(b) || (key(a) < key(b) ? -1 : 1);
}

/** Positions nearer than this are one: DS values are rounded. */
export const SAME_PLACE_MM = 0.01;

function inOrder(a: InputImage, b: InputImage): number {
  if (a.position !== undefined && b.position !== undefined && Math.abs(a.position - b.position) > SAME_PLACE_MM)
    return a.position - b.position;
  return (
    timeOf(a) - timeOf(b) || numberOf(a) - numberOf(b) || (a.instance.source.name < b.instance.source.name ? -1 : 1)
  );
}

function timeOf({ instance }: InputImage): number {
  return finite(instance.header.string('TemporalPositionIdentifier')) ?? 0;
}

function numberOf({ instance }: InputImage): number {
  return finite(instance.header.string('InstanceNumber')) ?? 0;
}

function finite(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || !Number.isFinite(value) ? undefined : value;
}

function normalOf(frame: Frame | undefined): readonly number[] | undefined {
  const { rowDirection: r, columnDirection: c } = frame ?? {};
  if (!r || !c) return undefined;
  return [r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0]];
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** A de-identifier may have emptied them; a service can then only go by the file's meta group, or not at all. */
function withoutUIDs(images: readonly InputImage[]): string[] {
  return (['SOPInstanceUID', 'SeriesInstanceUID'] as const).flatMap((keyword) => {
    const count = images.filter(({ instance }) => instance.header.string(keyword) === undefined).length;
    return count === 0 ? [] : [`${count} images have no ${keyword} in their data set; answers cannot refer to it.`];
  });
}

function doubles(images: readonly InputImage[]): string[] {
  const seen = new Set<string>();
  const twice = images.filter(({ instance: { SOPInstanceUID } }) => {
    const known = seen.has(SOPInstanceUID);
    seen.add(SOPInstanceUID);
    return known;
  });
  return twice.map(
    ({ name }) => `${name} has the SOPInstanceUID of an earlier image; findings are drawn on the first.`,
  );
}
