/** Headers of data elements (PS3.5 7.1): tag, VR and length in every layout, checked against the bytes that are there. */
import { lookUpTag } from './dictionary.js';
import { DicomError } from './errors.js';
import type { ParseLimits } from './limits.js';
import { isPrivateCreator, nameTag, type Tag } from './tag.js';
import type { Tolerances } from './tolerance.js';
import { isVR, type VR, vrRuleOfBytes } from './vr.js';

export const SHORT_HEADER = 8;
const LONG_HEADER = 12;
const DELIMITER_GROUP = 0xfffe;

/** Not an error: the bytes are a prefix, and what comes next is not in them. */
export class PrefixEnd extends Error {}

export interface ParserSettings {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  readonly limits: ParseLimits;
  readonly tolerances: Tolerances;
  /** The bytes are a prefix of a longer file: running out of them is PrefixEnd, not an error. */
  readonly partial: boolean;
  /** Size of the whole file where the bytes are a prefix and it is known: still finds truncated pixel data. */
  readonly fileSize?: number;
  readonly untilPixelData: boolean;
}

/** A cursor over the bytes and the header it read last; ElementParser adds the values. */
export class HeaderReader {
  at: number;
  protected readonly bytes: Uint8Array;
  protected readonly size: number;
  protected readonly settings: ParserSettings;
  protected explicit: boolean;
  protected littleEndian: boolean;
  protected signed = false;
  // The header just read.
  protected tag: Tag = 0;
  protected vr: VR = 'UN';
  protected length = 0;

  constructor(bytes: Uint8Array, at: number, settings: ParserSettings) {
    this.bytes = bytes;
    this.size = bytes.length;
    this.at = at;
    this.settings = settings;
    this.explicit = settings.explicit;
    this.littleEndian = settings.littleEndian;
  }

  protected u16(at: number): number {
    const bytes = this.bytes;
    return this.littleEndian
      ? (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
      : ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  }

  protected u32(at: number): number {
    const low = this.littleEndian ? at : at + 2;
    const high = this.littleEndian ? at + 2 : at;
    return this.u16(high) * 0x10000 + this.u16(low);
  }

  protected tagAt(at: number): Tag {
    return this.u16(at) * 0x10000 + this.u16(at + 2);
  }

  protected need(count: number, end: number): void {
    if (this.at + count <= end) return;
    if (this.settings.partial && end === this.size) throw new PrefixEnd();
    throw new DicomError('truncated', 'The data set ends inside the header of a data element.', {
      where: `offset ${this.at}, after ${nameTag(this.tag)}`,
      next: 'The file is incomplete; transfer it again.',
    });
  }

  protected truncated(at: number, end: number, beyondFile = end === this.size): DicomError {
    return new DicomError(
      beyondFile ? 'truncated' : 'malformed',
      `${nameTag(this.tag)} declares ${this.length} bytes, but ${Math.max(0, end - at)} are left in ${beyondFile ? 'the file' : 'what encloses it'}.`,
      { where: `${nameTag(this.tag)} at offset ${at}`, next: 'The file is incomplete or damaged; transfer it again.' },
    );
  }

  /** Reads tag, VR and length; `at` is then at the value. */
  protected readHeader(end: number): void {
    this.need(SHORT_HEADER, end);
    const bytes = this.bytes;
    const at = this.at;
    const tag = this.tagAt(at);
    this.tag = tag;
    if (!this.explicit || tag >>> 16 === DELIMITER_GROUP) {
      this.vr = tag >>> 16 === DELIMITER_GROUP ? 'UN' : this.implicitVR(tag);
      this.length = this.u32(at + 4);
      this.at = at + SHORT_HEADER;
      return;
    }
    const rule = vrRuleOfBytes(bytes[at + 4] as number, bytes[at + 5] as number);
    if (!rule) this.readHeaderWithoutVR(end);
    else if (rule.long) {
      this.need(LONG_HEADER, end);
      this.vr = rule.vr;
      this.length = this.u32(at + SHORT_HEADER);
      this.at = at + LONG_HEADER;
    } else {
      this.vr = rule.vr;
      this.length = this.u16(at + 6);
      this.at = at + SHORT_HEADER;
    }
  }

  /** Two letters we do not know, or none: an implicit element among explicit ones, or a VR of the future or of fantasy. */
  protected readHeaderWithoutVR(end: number): void {
    const at = this.at;
    const isLetter = (byte: number | undefined) => byte !== undefined && byte >= 0x41 && byte <= 0x5a;
    const letters = isLetter(this.bytes[at + 4]) && isLetter(this.bytes[at + 5]);
    const implicitLength = this.u32(at + 4);
    const { tolerances } = this.settings;
    this.vr = this.implicitVR(this.tag);
    if (!letters && implicitLength <= end - at - SHORT_HEADER) {
      tolerances.add(
        'implicit-element-in-explicit',
        'An element has no VR although the syntax is explicit.',
        nameTag(this.tag),
      );
      this.length = implicitLength;
      this.at = at + SHORT_HEADER;
      return;
    }
    tolerances.add('unknown-vr', 'An element has a VR that does not exist.', nameTag(this.tag));
    // PS3.5 7.1.2: VRs to come have a 32-bit length after two reserved zero bytes.
    const long =
      letters &&
      this.u16(at + 6) === 0 &&
      at + LONG_HEADER <= end &&
      this.u32(at + SHORT_HEADER) <= end - at - LONG_HEADER;
    this.length = long ? this.u32(at + SHORT_HEADER) : this.u16(at + 6);
    this.at = at + (long ? LONG_HEADER : SHORT_HEADER);
  }

  protected implicitVR(tag: Tag): VR {
    const vr = lookUpTag(tag)?.vr;
    if (vr === undefined) return isPrivateCreator(tag) ? 'LO' : 'UN';
    if (vr === 'xs') return this.signed ? 'SS' : 'US';
    return isVR(vr) ? vr : 'UN';
  }
}
