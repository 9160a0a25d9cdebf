/** DICOM files (PS3.10) in any state found in practice to a DicomFile: meta group, transfer syntax, data set. */
import { inflateRawSync, constants as zlib } from 'node:zlib';
import { Dataset } from './dataset.js';
import { lookUpTag } from './dictionary.js';
import { PrefixEnd } from './element-header.js';
import { ElementParser, type PixelDataElement } from './element-parser.js';
import { DicomError } from './errors.js';
import { DEFAULT_LIMITS, type ParseLimits } from './limits.js';
import { type Tolerance, Tolerances } from './tolerance.js';
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  layoutOf,
  type TransferSyntax,
} from './transfer-syntax.js';
import { vrRuleOfBytes } from './vr.js';

export interface ParseOptions {
  /** Stop before (7FE0,0008/0009/0010) and whatever follows. */
  readonly untilPixelData?: boolean;
  /** The bytes are a prefix of a longer file; running out of them ends the reading (`complete` is then false). */
  readonly partial?: boolean;
  /** Size of the whole file, where `partial` and known: truncated pixel data is then still found. */
  readonly fileSize?: number;
  readonly limits?: Partial<ParseLimits>;
}

export interface DicomFile {
  /** Group 0002; empty when the file has none. */
  readonly meta: Dataset;
  readonly dataset: Dataset;
  /** As the file says, or as guessed where it does not (then a tolerance tells). */
  readonly transferSyntaxUID: string;
  readonly tolerances: readonly Tolerance[];
  readonly pixelData?: PixelDataElement;
  /** False when a prefix ended before the pixel data or the end of the data set. */
  readonly complete: boolean;
}

const PREAMBLE = 128;
const PREFIX = [0x44, 0x49, 0x43, 0x4d];
const META_GROUP_LENGTH = 0x00020000;
const GROUP_LENGTH_HEADER = 12;
/** A data set without meta group begins with one of these groups: directory, identification (or a bare meta group). */
const FIRST_GROUPS = [0x0002, 0x0004, 0x0008];

function hasPrefixAt(bytes: Uint8Array, at: number): boolean {
  return PREFIX.every((byte, i) => bytes[at + i] === byte);
}

interface Sniffed {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  readonly plausible: boolean;
}

/** What the element at `at` looks like: the smaller reading of the group gives the byte order, two letters the VR. */
function sniffElement(bytes: Uint8Array, at: number, fileSize: number): Sniffed {
  const byte = (i: number) => bytes[at + i] ?? 0;
  const littleEndian = (byte(1) << 8) + byte(0) <= (byte(0) << 8) + byte(1);
  const u16 = (i: number) => (littleEndian ? (byte(i + 1) << 8) | byte(i) : (byte(i) << 8) | byte(i + 1));
  const rule = vrRuleOfBytes(byte(4), byte(5));
  const implicitLength = littleEndian ? u16(6) * 0x10000 + u16(4) : u16(4) * 0x10000 + u16(6);
  const fits = rule ? rule.long || u16(6) <= fileSize - at - 8 : implicitLength <= fileSize - at - 8;
  const known = lookUpTag(u16(0) * 0x10000 + u16(2)) !== undefined;
  const plausible = at + 8 <= bytes.length && FIRST_GROUPS.includes(u16(0)) && known && fits;
  return { explicit: rule !== undefined, littleEndian, plausible };
}

/** Whether the first bytes of a file look like DICOM: with a prefix, or a data set without one. 132 bytes are enough. */
export function looksLikeDicom(bytes: Uint8Array): boolean {
  return (
    hasPrefixAt(bytes, PREAMBLE) || hasPrefixAt(bytes, 0) || sniffElement(bytes, 0, Number.POSITIVE_INFINITY).plausible
  );
}

function findStart(bytes: Uint8Array, options: ParseOptions, tolerances: Tolerances): number {
  if (hasPrefixAt(bytes, PREAMBLE)) return PREAMBLE + PREFIX.length;
  if (hasPrefixAt(bytes, 0)) {
    tolerances.add('misplaced-prefix', "'DICM' stands at the start, without the 128-byte preamble.", 'offset 0');
    return PREFIX.length;
  }
  if (
    sniffElement(bytes, 0, options.fileSize ?? (options.partial ? Number.POSITIVE_INFINITY : bytes.length)).plausible
  ) {
    tolerances.add('no-preamble', 'The file has no preamble and prefix.', 'offset 0');
    return 0;
  }
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const zip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  throw new DicomError('not-dicom', 'The bytes are no DICOM file.', {
    where: 'offset 0',
    next: gzip || zip ? `They look like a ${gzip ? 'gzip' : 'zip'} archive; unpack it first.` : 'Give a DICOM file.',
  });
}

function checkMeta(meta: Dataset, start: number, end: number, tolerances: Tolerances): void {
  const declared = meta.bytes(META_GROUP_LENGTH)?.length === 4 ? meta.number(META_GROUP_LENGTH) : undefined;
  if (declared === undefined) return;
  const found = end - start - GROUP_LENGTH_HEADER;
  if (declared !== found)
    tolerances.add(
      'wrong-group-length',
      `The meta group says ${declared} bytes and has ${found}.`,
      'FileMetaInformationGroupLength',
    );
}

function inflate(bytes: Uint8Array, limits: ParseLimits, partial: boolean): Uint8Array {
  const byRatio = Math.max(limits.inflateFloor, bytes.length * limits.maxInflateRatio);
  const maxOutputLength = Math.min(limits.maxInflatedBytes, byRatio);
  try {
    return inflateRawSync(bytes, { maxOutputLength, ...(partial ? { finishFlush: zlib.Z_SYNC_FLUSH } : {}) });
  } catch (error) {
    const tooLarge = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    throw new DicomError(
      tooLarge ? 'limit' : 'truncated',
      tooLarge
        ? `The deflated data set grows beyond ${maxOutputLength} bytes.`
        : 'The deflated data set is damaged or incomplete.',
      { where: 'after the meta group', cause: error },
    );
  }
}

/** What the file says, unless its first element shows otherwise: layout as declared, or as seen with a tolerance. */
function chooseLayout(
  declared: string | undefined,
  bytes: Uint8Array,
  at: number,
  fileSize: number,
  tolerances: Tolerances,
): TransferSyntax {
  const seen = sniffElement(bytes, at, fileSize);
  const guess = !seen.littleEndian
    ? EXPLICIT_VR_BIG_ENDIAN
    : seen.explicit
      ? EXPLICIT_VR_LITTLE_ENDIAN
      : IMPLICIT_VR_LITTLE_ENDIAN;
  if (declared === undefined) {
    tolerances.add(
      'missing-transfer-syntax',
      `No transfer syntax is given; the bytes look like ${guess}.`,
      `offset ${at}`,
    );
    return { ...layoutOf(guess), explicit: seen.explicit };
  }
  const layout = layoutOf(declared);
  if (layout.deflated || !seen.plausible) return layout;
  if (layout.explicit === seen.explicit && layout.littleEndian === seen.littleEndian) return layout;
  tolerances.add(
    'transfer-syntax-contradicted',
    `The transfer syntax says ${layout.name}, but the data set is ${seen.explicit ? 'explicit' : 'implicit'} VR ${seen.littleEndian ? 'little' : 'big'} endian.`,
    `offset ${at}`,
  );
  return { ...layout, explicit: seen.explicit, littleEndian: seen.littleEndian };
}

/**
 * Reads a DICOM file; elements are views on `bytes`, which must not be changed afterwards. Layouts: explicit, implicit,
 * big endian, deflated; with or without preamble, meta group, group length, transfer syntax.
 * Throws DicomError 'not-dicom', 'truncated', 'malformed' or 'limit', naming tag and offset.
 */
export function parseDicom(bytes: Uint8Array, options: ParseOptions = {}): DicomFile {
  const tolerances = new Tolerances();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const partial = options.partial ?? false;
  const start = findStart(bytes, options, tolerances);
  const meta = new Dataset();
  const common = { limits, tolerances, partial, untilPixelData: options.untilPixelData ?? false };
  const metaParser = new ElementParser(bytes, start, { ...common, explicit: true, littleEndian: true });
  let complete = true;
  try {
    metaParser.parseMeta(meta);
  } catch (error) {
    if (!(error instanceof PrefixEnd)) throw error;
    complete = false;
  }
  const at = metaParser.at;
  checkMeta(meta, start, at, tolerances);
  const declared = meta.string('TransferSyntaxUID');
  if (!complete || (partial && at + 8 > bytes.length))
    return {
      meta,
      dataset: new Dataset(),
      transferSyntaxUID: declared ?? '',
      tolerances: tolerances.list(),
      complete: false,
    };
  if (at === bytes.length)
    throw new DicomError('truncated', 'The file ends with its meta information; there is no data set.', {
      where: `offset ${at}`,
    });
  const layout = chooseLayout(
    declared,
    bytes,
    at,
    options.fileSize ?? (partial ? Number.POSITIVE_INFINITY : bytes.length),
    tolerances,
  );
  return parseBody(
    bytes,
    at,
    layout,
    declared,
    { ...common, ...(options.fileSize === undefined ? {} : { fileSize: options.fileSize }) },
    meta,
  );
}

type BodySettings = {
  limits: ParseLimits;
  tolerances: Tolerances;
  partial: boolean;
  untilPixelData: boolean;
  fileSize?: number;
};

function parseBody(
  file: Uint8Array,
  start: number,
  layout: TransferSyntax,
  declared: string | undefined,
  settings: BodySettings,
  meta: Dataset,
): DicomFile {
  const { tolerances } = settings;
  const body = layout.deflated ? inflate(file.subarray(start), settings.limits, settings.partial) : file;
  const { fileSize: _, ...withoutSize } = settings;
  const parser = new ElementParser(body, layout.deflated ? 0 : start, {
    ...(layout.deflated ? withoutSize : settings),
    explicit: layout.explicit,
    littleEndian: layout.littleEndian,
  });
  const dataset = new Dataset({ littleEndian: layout.littleEndian });
  let complete = true;
  try {
    const stopped = parser.parseTop(dataset);
    // A prefix may end exactly between two elements; only the pixel data or the file's size shows that nothing is missing.
    complete = stopped || !settings.partial || (settings.fileSize ?? Number.POSITIVE_INFINITY) <= file.length;
  } catch (error) {
    if (!(error instanceof PrefixEnd)) throw error;
    complete = false;
  }
  const common = { meta, dataset, transferSyntaxUID: declared ?? layout.uid, tolerances: tolerances.list(), complete };
  return parser.pixelData ? { ...common, pixelData: parser.pixelData } : common;
}

/** A bare data set (no meta group, as on the network) in a known transfer syntax. Throws as parseDicom does. */
export function parseDataset(bytes: Uint8Array, transferSyntaxUID: string, options: ParseOptions = {}): DicomFile {
  const tolerances = new Tolerances();
  const common = {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    tolerances,
    partial: options.partial ?? false,
    untilPixelData: options.untilPixelData ?? false,
    ...(options.fileSize === undefined ? {} : { fileSize: options.fileSize }),
  };
  return parseBody(bytes, 0, layoutOf(transferSyntaxUID), transferSyntaxUID, common, new Dataset());
}
