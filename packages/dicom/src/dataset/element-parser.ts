/**
 * The recursive reader of data elements (PS3.5 section 7): one index pass over the bytes, no copies, every loop advances
 * by at least one 8-byte header. Sizes are compared with the bytes that are there before anything is made of them.
 */
import { Dataset } from './dataset.js';
import { Element, fragmentsElement, sequenceElement } from './element.js';
import { HeaderReader, PrefixEnd, SHORT_HEADER } from './element-header.js';
import { DicomError } from './errors.js';
import { nameTag, type Tag } from './tag.js';
import { type VR, vrRuleOfBytes } from './vr.js';

export const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const PIXEL_DATA = 0x7fe00010;
const FIRST_PIXEL_TAG = 0x7fe00008;
const PIXEL_REPRESENTATION = 0x00280103;

/** Pixel data as found: `element` is absent when reading stopped before it. */
export interface PixelDataElement {
  readonly tag: Tag;
  readonly vr: VR;
  /** Offset of the value in the parsed bytes (after inflating). */
  readonly offset: number;
  /** Declared length; undefined when encapsulated with undefined length. */
  readonly length: number | undefined;
  readonly element?: Element;
}

export class ElementParser extends HeaderReader {
  pixelData: PixelDataElement | undefined;
  #elements = 0;
  #lastNonZero: number | undefined;

  /** Group 0002 only; leaves `at` at the first element of another group. */
  parseMeta(meta: Dataset): void {
    while (this.at + 2 <= this.size && this.u16(this.at) === 2) {
      this.readHeader(this.size);
      this.#readValue(meta, this.size, 0);
    }
  }

  /** The top-level data set. True when the reading stopped at the pixel data, false when at the end of the bytes. */
  parseTop(dataset: Dataset): boolean {
    const { partial, untilPixelData, tolerances } = this.settings;
    let afterPixels = false;
    while (this.at < this.size) {
      const start = this.at;
      try {
        if (this.#onlyZerosFrom(start)) {
          tolerances.add('trailing-bytes', 'The data set is followed by zero bytes.', `offset ${start}`);
          return false;
        }
        this.readHeader(this.size);
        if (untilPixelData && this.tag >= FIRST_PIXEL_TAG) {
          if (this.tag <= PIXEL_DATA) this.#noteUnreadPixelData();
          return true;
        }
        this.#readValue(dataset, this.size, 0);
      } catch (error) {
        if (!afterPixels || partial || !(error instanceof DicomError)) throw error;
        tolerances.add(
          'trailing-bytes',
          'The pixel data is followed by bytes that are no data elements.',
          `offset ${start}`,
        );
        return false;
      }
      if (this.tag >= FIRST_PIXEL_TAG && this.tag <= PIXEL_DATA) afterPixels = true;
    }
    return false;
  }

  #noteUnreadPixelData(): void {
    const { fileSize, partial } = this.settings;
    const known = this.length !== UNDEFINED_LENGTH;
    const available = (partial ? fileSize : this.size) ?? Number.POSITIVE_INFINITY;
    if (known && this.length > available - this.at) throw this.truncated(this.at, available, true);
    this.pixelData = { tag: this.tag, vr: this.vr, offset: this.at, length: known ? this.length : undefined };
  }

  /** Reads the value of the header just read into `dataset`, and leaves `at` behind it. */
  #readValue(dataset: Dataset, end: number, depth: number): void {
    const { limits, tolerances } = this.settings;
    const tag = this.tag;
    const vr = this.vr;
    const length = this.length;
    const start = this.at;
    if (++this.#elements > limits.maxElements)
      throw new DicomError('limit', `More than ${limits.maxElements} data elements.`, { where: `offset ${start}` });
    if (length === UNDEFINED_LENGTH) {
      dataset.put(this.#readUndefinedLength(dataset, end, depth));
    } else {
      if (length > end - start) {
        if (this.settings.partial && end === this.size) throw new PrefixEnd();
        throw this.truncated(start, end);
      }
      if (length & 1) tolerances.add('odd-length', 'A value has an odd number of bytes.', nameTag(tag));
      dataset.put(this.#readDefinedLength(dataset, start + length, depth));
      this.at = start + length;
    }
    if (tag === PIXEL_REPRESENTATION && length === 2) this.signed = this.u16(start) === 1;
    if (depth === 0 && tag >= FIRST_PIXEL_TAG && tag <= PIXEL_DATA)
      this.pixelData = {
        tag,
        vr,
        offset: start,
        length: length === UNDEFINED_LENGTH ? undefined : length,
        element: dataset.elements.get(tag) as Element,
      };
    this.tag = tag;
  }

  #readDefinedLength(dataset: Dataset, end: number, depth: number): Element {
    const tag = this.tag;
    const vr = this.vr;
    const start = this.at;
    if (vr === 'SQ') return sequenceElement(tag, this.#readItems(dataset, end, false, depth + 1));
    if (vr === 'UN' && end - start >= SHORT_HEADER && this.#looksLikeItem(start)) {
      const items = this.#tryItems(dataset, end, depth + 1);
      if (items) return sequenceElement(tag, items);
    }
    return new Element(tag, vr, this.bytes, start, end - start);
  }

  #readUndefinedLength(dataset: Dataset, end: number, depth: number): Element {
    const tag = this.tag;
    const vr = this.vr;
    if (tag === PIXEL_DATA || vr === 'OB' || vr === 'OW') return fragmentsElement(tag, vr, this.#readFragments(end));
    if (vr === 'SQ') return sequenceElement(tag, this.#readItems(dataset, end, true, depth + 1));
    if (vr === 'UN') return sequenceElement(tag, this.#readUnknownSequence(dataset, end, depth + 1));
    throw new DicomError('malformed', `${nameTag(tag)} has undefined length, which VR ${vr} does not allow.`, {
      where: `${nameTag(tag)} at offset ${this.at}`,
    });
  }

  #looksLikeItem(at: number): boolean {
    const bytes = this.bytes;
    return bytes[at] === 0xfe && bytes[at + 1] === 0xff && bytes[at + 2] === 0x00 && bytes[at + 3] === 0xe0;
  }

  /** A UN value of defined length that may be a sequence: read as one when that works out to the last byte. */
  #tryItems(dataset: Dataset, end: number, depth: number): readonly Dataset[] | undefined {
    const { at } = this;
    const elements = this.#elements;
    try {
      const items = this.#asUnknown(at, () => this.#readItems(dataset, end, false, depth));
      if (this.at === end) {
        if (this.settings.explicit)
          this.settings.tolerances.add('sequence-in-un', 'A sequence is stored with VR UN.', `offset ${at}`);
        return items;
      }
    } catch (error) {
      if (!(error instanceof DicomError) && !(error instanceof PrefixEnd)) throw error;
      if (error instanceof DicomError && error.kind === 'limit') throw error;
    }
    this.at = at;
    this.#elements = elements;
    return undefined;
  }

  /** CP-246: UN of undefined length holds implicit VR little endian items, whatever the syntax is. */
  #readUnknownSequence(dataset: Dataset, end: number, depth: number): readonly Dataset[] {
    this.settings.tolerances.add('sequence-in-un', 'A sequence is stored with VR UN.', nameTag(this.tag));
    return this.#asUnknown(this.at, () => this.#readItems(dataset, end, true, depth));
  }

  /** Runs `read` in implicit VR little endian, or explicit where the first nested element shows a VR (a writers' fault). */
  #asUnknown<T>(at: number, read: () => T): T {
    const explicit = this.explicit;
    const littleEndian = this.littleEndian;
    const first = at + SHORT_HEADER + 4;
    this.littleEndian = true;
    this.explicit =
      first + 2 <= this.size &&
      vrRuleOfBytes(this.bytes[first] as number, this.bytes[first + 1] as number) !== undefined;
    try {
      return read();
    } finally {
      this.explicit = explicit;
      this.littleEndian = littleEndian;
    }
  }

  #readItems(parent: Dataset, end: number, undefinedLength: boolean, depth: number): readonly Dataset[] {
    const { limits, tolerances } = this.settings;
    const owner = this.tag;
    if (depth > limits.maxDepth)
      throw new DicomError('limit', `Sequences are nested deeper than ${limits.maxDepth}.`, {
        where: `offset ${this.at}`,
      });
    const items: Dataset[] = [];
    while (undefinedLength || this.at < end) {
      if (this.at === end && end !== this.size) {
        tolerances.add(
          'missing-delimiter',
          'A sequence ends with what encloses it, without its delimiter.',
          nameTag(owner),
        );
        break;
      }
      const start = this.at;
      this.readHeader(end);
      if (this.tag === SEQUENCE_END) {
        if (undefinedLength) break;
        tolerances.add('stray-delimiter', 'A sequence of defined length has a delimiter.', nameTag(owner));
      } else if (this.tag === ITEM) {
        items.push(this.#readItem(parent, end, depth));
      } else if (this.tag === ITEM_END) {
        tolerances.add('stray-delimiter', 'An item delimiter stands between items.', nameTag(owner));
      } else if (undefinedLength) {
        tolerances.add(
          'missing-delimiter',
          'A sequence is followed by an element without its delimiter.',
          nameTag(owner),
        );
        this.at = start;
        break;
      } else {
        throw new DicomError('malformed', `${nameTag(owner)} holds something that is no item.`, {
          where: `offset ${start}`,
        });
      }
    }
    this.tag = owner;
    return items;
  }

  #readItem(parent: Dataset, end: number, depth: number): Dataset {
    const length = this.length;
    const start = this.at;
    const undefinedLength = length === UNDEFINED_LENGTH;
    if (!undefinedLength && length > end - start) {
      if (this.settings.partial && end === this.size) throw new PrefixEnd();
      throw this.truncated(start, end);
    }
    if (++this.#elements > this.settings.limits.maxElements)
      throw new DicomError('limit', 'More items and data elements than the limit.', { where: `offset ${start}` });
    const item = new Dataset({ charset: parent.charset, littleEndian: this.littleEndian });
    this.#readItemElements(item, undefinedLength ? end : start + length, undefinedLength, depth);
    if (!undefinedLength) this.at = start + length;
    return item;
  }

  #readItemElements(item: Dataset, end: number, undefinedLength: boolean, depth: number): void {
    const { tolerances } = this.settings;
    while (undefinedLength || this.at < end) {
      if (this.at === end && end !== this.size) {
        tolerances.add(
          'missing-delimiter',
          'An item ends with what encloses it, without its delimiter.',
          `offset ${end}`,
        );
        return;
      }
      const start = this.at;
      this.readHeader(end);
      if (this.tag === ITEM_END) {
        if (undefinedLength) return;
        tolerances.add('stray-delimiter', 'An item of defined length has a delimiter.', `offset ${start}`);
      } else if (this.tag === SEQUENCE_END || this.tag === ITEM) {
        tolerances.add('missing-delimiter', 'An item is not closed by its delimiter.', `offset ${start}`);
        this.at = start;
        return;
      } else this.#readValue(item, end, depth);
    }
  }

  /** Encapsulated pixel data (PS3.5 A.4): the fragments are found by their lengths, never by searching for delimiters. */
  #readFragments(end: number): readonly Uint8Array[] {
    const { limits, tolerances, partial } = this.settings;
    const owner = this.tag;
    const fragments: Uint8Array[] = [];
    for (;;) {
      const start = this.at;
      this.readHeader(end);
      if (this.tag === SEQUENCE_END) break;
      if (this.tag !== ITEM) {
        tolerances.add('missing-delimiter', 'Encapsulated pixel data is not closed by its delimiter.', nameTag(owner));
        this.at = start;
        break;
      }
      if (this.length > end - this.at) {
        if (partial && end === this.size) throw new PrefixEnd();
        this.tag = owner;
        throw this.truncated(this.at, end);
      }
      if (fragments.length >= limits.maxFragments)
        throw new DicomError('limit', `More than ${limits.maxFragments} fragments.`, { where: nameTag(owner) });
      fragments.push(this.bytes.subarray(this.at, this.at + this.length));
      this.at += this.length;
    }
    this.tag = owner;
    return fragments;
  }

  /** Only asked at the top level: some writers fill the file up to a block. The last byte that is not zero is found once. */
  #onlyZerosFrom(at: number): boolean {
    if (this.bytes[at] !== 0) return false;
    if (this.#lastNonZero === undefined) {
      let last = this.size - 1;
      while (last >= 0 && this.bytes[last] === 0) last--;
      this.#lastNonZero = last;
    }
    return at > this.#lastNonZero;
  }
}
