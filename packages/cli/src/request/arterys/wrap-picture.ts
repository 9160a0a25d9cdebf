/**
 * PNG and JPEG pictures as DICOM secondary captures, uncompressed, so that any service can read them. UIDs follow from the
 * content: the same picture is the same instance in every request.
 */
import { createHash } from 'node:crypto';
import { Dataset, decodeFrames, parseDicom, setPixelData, uidFrom, writeDicom } from '@isocenter/dicom';
import { type ByteSource, decodePng, isPng } from '@isocenter/formats';
import { RequestInputError } from './request-error.js';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';

interface Pixels {
  readonly columns: number;
  readonly rows: number;
  readonly samples: 1 | 3;
  readonly data: Uint8Array | Uint16Array;
}

export function isPicture(start: Uint8Array): boolean {
  return isPng(start) || isJpeg(start);
}

function isJpeg(start: Uint8Array): boolean {
  return start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff;
}

/**
 * The picture as a source of DICOM bytes, made anew at each reading: a folder of pictures is not held in memory.
 * `number` is its place among the pictures of `seriesSeed`. Throws RequestInputError and FormatError.
 */
export async function wrapPicture(picture: ByteSource, seriesSeed: string, number: number): Promise<ByteSource> {
  const wrap = async () => asDicom(await picture.read(), seriesSeed, number);
  const { length } = await wrap();
  return {
    name: picture.name,
    size: length,
    prefix: async (count) => (await wrap()).subarray(0, count),
    read: wrap,
  };
}

async function asDicom(bytes: Uint8Array, seriesSeed: string, number: number): Promise<Uint8Array> {
  const { columns, rows, samples, data } = isPng(bytes) ? fromPng(bytes) : await fromJpeg(bytes);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const dataset = new Dataset()
    .set('SOPClassUID', SECONDARY_CAPTURE)
    .set('SOPInstanceUID', uidFrom(`picture ${seriesSeed} ${number} ${digest}`))
    .set('StudyInstanceUID', uidFrom(`study of pictures ${seriesSeed}`))
    .set('SeriesInstanceUID', uidFrom(`series of pictures ${seriesSeed}`))
    .set('Modality', 'OT')
    .set('ConversionType', 'WSD')
    .set('SeriesNumber', 1)
    .set('InstanceNumber', number)
    .set('PatientOrientation', undefined);
  for (const empty of ['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime'] as const)
    dataset.set(empty, undefined);
  for (const empty of ['StudyID', 'AccessionNumber', 'ReferringPhysicianName'] as const) dataset.set(empty, undefined);
  const bits = data.BYTES_PER_ELEMENT * 8;
  await setPixelData(
    dataset,
    {
      rows,
      columns,
      samplesPerPixel: samples,
      bitsAllocated: bits,
      bitsStored: bits,
      pixelRepresentation: 0,
      photometric: samples === 3 ? 'RGB' : 'MONOCHROME2',
      data,
    },
    EXPLICIT_VR_LITTLE_ENDIAN,
  );
  return writeDicom(dataset);
}

/** Transparency is left out: what lies below it is the picture. */
function fromPng(bytes: Uint8Array): Pixels {
  const { width, height, channels, data } = decodePng(bytes);
  const samples = channels < 3 ? 1 : 3;
  const pixels = new (data instanceof Uint16Array ? Uint16Array : Uint8Array)(width * height * samples);
  for (let at = 0; at < width * height; at++)
    for (let s = 0; s < samples; s++) pixels[at * samples + s] = data[at * channels + s];
  return { columns: width, rows: height, samples, data: pixels };
}

const START_OF_FRAME = { from: 0xc0, to: 0xcf };
/** DHT, JPG and DAC lie among the frame markers and are none. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
const ADOBE = 0xee;

/** Decoded by the DICOM codecs: the stream as it is becomes the one frame of an image. */
async function fromJpeg(bytes: Uint8Array): Promise<Pixels> {
  const { frame, rows, columns, samples, transformed } = jpegHeader(bytes);
  if (frame > START_OF_FRAME.from + 1 || (samples !== 1 && samples !== 3))
    throw new RequestInputError('unsupported-picture', 'This kind of JPEG (progressive, or four colours) is not read', {
      next: 'Save it as a baseline JPEG or as PNG.',
    });
  const image = new Dataset()
    .set('SOPClassUID', SECONDARY_CAPTURE)
    .set('SOPInstanceUID', uidFrom('jpeg'))
    .set('SamplesPerPixel', samples)
    .set('PhotometricInterpretation', samples === 1 ? 'MONOCHROME2' : transformed ? 'YBR_FULL' : 'RGB')
    .set('Rows', rows)
    .set('Columns', columns)
    .set('BitsAllocated', 8)
    .set('BitsStored', 8)
    .set('HighBit', 7)
    .set('PixelRepresentation', 0);
  if (samples === 3) image.set('PlanarConfiguration', 0);
  const decoded = await decodeFrames(parseDicom(withFragment(image, bytes)));
  const data = decoded.data as Uint8Array;
  if (decoded.photometric.startsWith('YBR')) toRgb(data);
  return { columns, rows, samples, data };
}

function jpegHeader(bytes: Uint8Array) {
  let adobe: number | undefined;
  const word = (at: number) => (bytes[at] << 8) | bytes[at + 1];
  for (let at = 2; at + 9 < bytes.length; ) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff) break;
    // Bytes 0xFF may stand before a marker to fill space.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === ADOBE && word(at + 2) >= 14) adobe = bytes[at + 15];
    if (marker >= START_OF_FRAME.from && marker <= START_OF_FRAME.to && !NO_FRAMES.includes(marker))
      return {
        frame: marker,
        rows: word(at + 5),
        columns: word(at + 7),
        samples: bytes[at + 9],
        transformed: adobe !== 0,
      };
    at += 2 + word(at + 2);
  }
  throw new RequestInputError('unsupported-picture', 'A JPEG picture has no frame header', {
    next: 'Copy the file again.',
  });
}

function withFragment(image: Dataset, jpeg: Uint8Array): Uint8Array {
  const even = jpeg.length % 2 === 0 ? jpeg : Buffer.concat([jpeg, Buffer.of(0)]);
  const header = writeDicom(image, { transferSyntaxUID: JPEG_BASELINE });
  const item = (bytes: Uint8Array) => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  };
  const pixelData = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  return Buffer.concat([header, pixelData, item(Buffer.alloc(0)), item(even), end]);
}

/** JFIF's full-range YCbCr, in place. */
function toRgb(data: Uint8Array): void {
  const clamp = (value: number) => Math.min(Math.max(Math.round(value), 0), 255);
  for (let at = 0; at + 2 < data.length; at += 3) {
    const [y, b, r] = [data[at], data[at + 1] - 128, data[at + 2] - 128];
    data[at] = clamp(y + 1.402 * r);
    data[at + 1] = clamp(y - 0.344136 * b - 0.714136 * r);
    data[at + 2] = clamp(y + 1.772 * b);
  }
}
