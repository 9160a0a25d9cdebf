/**
 * Datasets to bytes (PS3.5 section 7, PS3.10 section 7): one pass plans lengths, one allocation, one pass writes. Strict:
 * sorted elements, even lengths, no group lengths outside the meta group, nothing after the last element.
 */
import { deflateRawSync } from 'node:zlib';
import { Dataset } from './dataset.js';
import { DicomError } from './errors.js';
import { ElementWriter, type PlannedElement, planDataset } from './serialize-plan.js';
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  type TransferSyntax,
  transferSyntaxes,
} from './transfer-syntax.js';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './uid.js';

export interface WriteOptions {
  /** Default Explicit VR Little Endian. Pixel data must already be in this syntax (pixel/encode.ts). */
  readonly transferSyntaxUID?: string;
  /** Sequences and items with defined lengths (default), or undefined lengths and delimiters. */
  readonly lengths?: 'defined' | 'undefined';
  /** (0002,0016) of the meta group. */
  readonly sourceApplicationEntityTitle?: string;
}

const PREAMBLE = 128;
const PREFIX = 'DICM';

function syntaxOf(uid: string): TransferSyntax {
  const syntax = transferSyntaxes.get(uid);
  if (!syntax)
    throw new DicomError('unsupported-transfer-syntax', `Cannot write the unknown transfer syntax ${uid}.`, {
      where: uid,
    });
  return syntax;
}

/** Group 0002 without its group length, in PS3.10 table 7.1-1 order. */
function metaGroup(dataset: Dataset, options: WriteOptions, uid: string): Dataset {
  // Taken as bytes: a file that came in with a faulty UID can still be passed on as it is.
  const sopClass = dataset.bytes('SOPClassUID');
  const sopInstance = dataset.bytes('SOPInstanceUID');
  if (!sopClass?.length || !sopInstance?.length)
    throw new DicomError('missing-attribute', 'A DICOM file needs SOPClassUID and SOPInstanceUID.', {
      where: sopClass?.length ? 'SOPInstanceUID' : 'SOPClassUID',
    });
  const meta = new Dataset()
    .set('FileMetaInformationVersion', Uint8Array.of(0, 1))
    .set('MediaStorageSOPClassUID', sopClass)
    .set('MediaStorageSOPInstanceUID', sopInstance)
    .set('TransferSyntaxUID', uid)
    .set('ImplementationClassUID', IMPLEMENTATION_CLASS_UID)
    .set('ImplementationVersionName', IMPLEMENTATION_VERSION_NAME);
  if (options.sourceApplicationEntityTitle)
    meta.set('SourceApplicationEntityTitle', options.sourceApplicationEntityTitle);
  return meta;
}

/**
 * A complete file: preamble, meta group, data set. Text that is not ASCII makes the file ISO_IR 192.
 * Throws DicomError 'missing-attribute', 'invalid-value' or 'unsupported-transfer-syntax'.
 */
export function writeDicom(dataset: Dataset, options: WriteOptions = {}): Uint8Array {
  const uid = options.transferSyntaxUID ?? EXPLICIT_VR_LITTLE_ENDIAN;
  const syntax = syntaxOf(uid);
  const meta = planDataset(metaGroup(dataset, options, uid), syntaxOf(EXPLICIT_VR_LITTLE_ENDIAN), true, true);
  const metaLength = Buffer.alloc(4);
  metaLength.writeUInt32LE(meta.size);
  const lengthElement: PlannedElement = { tag: 0x00020000, vr: 'UL', bytes: metaLength, size: 4, header: 8 };
  const head = PREAMBLE + PREFIX.length + lengthElement.header + lengthElement.size + meta.size;
  const body = syntax.deflated ? deflated(dataset, syntax, options) : undefined;
  const plan = body ? undefined : planDataset(dataset, syntax, options.lengths !== 'undefined');
  const file = new Uint8Array(head + (body?.length ?? plan?.size ?? 0));
  Buffer.from(file.buffer).write(PREFIX, PREAMBLE, 'latin1');
  const writer = new ElementWriter(file, PREAMBLE + PREFIX.length, syntaxOf(EXPLICIT_VR_LITTLE_ENDIAN));
  writer.write([lengthElement, ...meta.elements]);
  if (body) file.set(body, head);
  else if (plan) new ElementWriter(file, head, syntax).write(plan.elements);
  return file;
}

function deflated(dataset: Dataset, syntax: TransferSyntax, options: WriteOptions): Uint8Array {
  const compressed = deflateRawSync(writeBody(dataset, syntax, options));
  if (compressed.length % 2 === 0) return compressed;
  // PS3.5 A.5: an odd deflated length is padded with one zero byte.
  const even = new Uint8Array(compressed.length + 1);
  even.set(compressed);
  return even;
}

function writeBody(dataset: Dataset, syntax: TransferSyntax, options: WriteOptions): Uint8Array {
  const plan = planDataset(dataset, syntax, options.lengths !== 'undefined');
  const bytes = new Uint8Array(plan.size);
  new ElementWriter(bytes, 0, syntax).write(plan.elements);
  return bytes;
}

/** A bare data set, as the network carries it. Default Explicit VR Little Endian. Throws as writeDicom does. */
export function writeDataset(dataset: Dataset, options: WriteOptions = {}): Uint8Array {
  const syntax = syntaxOf(options.transferSyntaxUID ?? EXPLICIT_VR_LITTLE_ENDIAN);
  return syntax.uid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    ? deflated(dataset, syntax, options)
    : writeBody(dataset, syntax, options);
}
