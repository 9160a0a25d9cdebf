/**
 * Dataset: the one data model for reading and writing (docs/decisions/0002). A map of immutable elements that are views
 * on the input; values are decoded when asked for, and encoded at once when set.
 */
import { type CharsetReport, DEFAULT_CHARSET, decodeText, isAscii, UTF8_CHARSET } from './charset.js';
import type { Keyword } from './dictionary.generated.js';
import { lookUpTag } from './dictionary.js';
import { Element, sequenceElement } from './element.js';
import { DicomError } from './errors.js';
import { isPrivateCreator, nameTag, type Tag, tagOf } from './tag.js';
import { readBinaryNumbers, readDecimals, trimValue } from './value-read.js';
import { encodeValue } from './value-write.js';
import { isVR, type VR, vrRule } from './vr.js';

export type DatasetValue =
  | string
  | number
  | readonly string[]
  | readonly number[]
  | Uint8Array
  | readonly Dataset[]
  | undefined;

export interface DatasetOptions {
  /** Character set in force where the data set has no (0008,0005) of its own: the one of the enclosing data set. */
  readonly charset?: readonly string[];
  /** Byte order of binary values in `elements`; default true. */
  readonly littleEndian?: boolean;
}

const SPECIFIC_CHARACTER_SET = 0x00080005;
const PIXEL_DATA = 0x7fe00010;
const BITS_ALLOCATED = 0x00280100;
const PIXEL_REPRESENTATION = 0x00280103;

export class Dataset {
  readonly #elements = new Map<Tag, Element>();
  readonly littleEndian: boolean;
  #inherited: readonly string[];
  #charset: readonly string[] | undefined;

  constructor(options: DatasetOptions = {}) {
    this.#inherited = options.charset ?? DEFAULT_CHARSET;
    this.littleEndian = options.littleEndian ?? true;
  }

  /** In file order when parsed; the writer sorts. */
  get elements(): ReadonlyMap<Tag, Element> {
    return this.#elements;
  }

  /** Terms of the Specific Character Set in force: own (0008,0005), or that of the enclosing data set. */
  get charset(): readonly string[] {
    if (this.#charset) return this.#charset;
    const own = this.#elements.get(SPECIFIC_CHARACTER_SET);
    this.#charset =
      own && own.length > 0
        ? own
            .latin1()
            .split('\\')
            .map((term) => trimValue(term, false))
        : this.#inherited;
    return this.#charset;
  }

  has(k: Keyword | Tag): boolean {
    return this.#elements.has(toTag(k));
  }

  element(k: Keyword | Tag): Element | undefined {
    return this.#elements.get(toTag(k));
  }

  /** First value, decoded and trimmed; undefined when absent or empty. */
  string(k: Keyword | Tag): string | undefined {
    const first = this.strings(k)[0];
    return first === '' ? undefined : first;
  }

  /** All values; [] when absent or empty. Binary numbers are given as decimal text. `report` hears of undecodable text. */
  strings(k: Keyword | Tag, report?: CharsetReport): readonly string[] {
    const element = this.#elements.get(toTag(k));
    if (!element || element.length === 0) return [];
    const vr = effectiveVR(element, this);
    const rule = vrRule(vr);
    if (rule.kind === 'number') return this.numbers(k).map(String);
    if (rule.kind === 'sequence') return [];
    const text =
      rule.kind === 'text'
        ? decodeText(element.bytes as Uint8Array, element.charset ?? this.charset, vr === 'PN', report)
        : element.latin1();
    if (!rule.multiple) {
      const single = trimValue(text, true);
      return single === '' ? [] : [single];
    }
    if (!text.includes('\\')) {
      const single = trimValue(text, false);
      return single === '' ? [] : [single];
    }
    return text.split('\\').map((value) => trimValue(value, false));
  }

  /** First number; undefined when absent or empty. Throws DicomError 'unreadable-value'. */
  number(k: Keyword | Tag): number | undefined {
    return this.numbers(k)[0];
  }

  /** All numbers of IS, DS and the binary number VRs; [] when absent or empty. Throws DicomError 'unreadable-value'. */
  numbers(k: Keyword | Tag): readonly number[] {
    const tag = toTag(k);
    const element = this.#elements.get(tag);
    if (!element?.bytes || element.length === 0) return [];
    const vr = effectiveVR(element, this);
    const { kind } = vrRule(vr);
    if (kind === 'ascii' || kind === 'text') return Array.from(readDecimals(element.bytes, tag));
    return readBinaryNumbers(element.bytes, vr, this.littleEndian);
  }

  /** Numbers of a DS or IS element without boxing them: for contour data. Throws DicomError 'unreadable-value'. */
  decimals(k: Keyword | Tag): Float64Array {
    const tag = toTag(k);
    const element = this.#elements.get(tag);
    return element?.bytes ? readDecimals(element.bytes, tag) : new Float64Array(0);
  }

  /** Items of a sequence; [] when absent, empty, or no sequence. */
  items(k: Keyword | Tag): readonly Dataset[] {
    return this.#elements.get(toTag(k))?.items ?? [];
  }

  /** Raw value, a view on the input in this data set's byte order; undefined when absent, a sequence or encapsulated. */
  bytes(k: Keyword | Tag): Uint8Array | undefined {
    return this.#elements.get(toTag(k))?.bytes;
  }

  /**
   * Sets one attribute, encoding at once. undefined and [] make it present but empty (type 2). The VR comes from the
   * dictionary unless given. Text that is not ASCII is kept as UTF-8, and the writer then declares ISO_IR 192.
   * Throws DicomError 'invalid-value' when the value breaks the VR's rules.
   */
  set(k: Keyword | Tag, value: DatasetValue, vr?: VR): this {
    const tag = toTag(k);
    const type = vr ?? this.#standardVR(tag);
    if (tag === SPECIFIC_CHARACTER_SET) this.#charset = undefined;
    if (type === 'SQ') {
      const items = (value ?? []) as readonly Dataset[];
      if (!Array.isArray(items) || !items.every((item) => item instanceof Dataset))
        throw new DicomError('invalid-value', `${nameTag(tag)} is a sequence; its value must be an array of Datasets.`);
      return this.put(sequenceElement(tag, items));
    }
    if (Array.isArray(value) && value.some((item) => item instanceof Dataset))
      throw new DicomError('invalid-value', `${nameTag(tag)} has VR ${type} and cannot hold items.`);
    const plain = (value ?? []) as Exclude<DatasetValue, undefined | readonly Dataset[]>;
    const { bytes, charset } = encodeValue(tag, type, plain, this.littleEndian);
    return this.put(new Element(tag, type, bytes, 0, bytes.length, charset ? { charset } : undefined));
  }

  /** Puts an element as it is: for the parser and for copies; its bytes must be in this data set's byte order. */
  put(element: Element): this {
    this.#elements.set(element.tag, element);
    return this;
  }

  delete(k: Keyword | Tag): this {
    const tag = toTag(k);
    this.#elements.delete(tag);
    if (tag === SPECIFIC_CHARACTER_SET) this.#charset = undefined;
    return this;
  }

  /** Copies elements as they are, absent ones skipped; text becomes UTF-8 where it is not ASCII, byte order is adapted. */
  copyFrom(other: Dataset, keywords: readonly (Keyword | Tag)[]): this {
    for (const keyword of keywords) {
      const element = other.element(keyword);
      if (element && element.tag !== SPECIFIC_CHARACTER_SET)
        this.put(other.portableElement(element, this.littleEndian));
    }
    return this;
  }

  /** The element with everything that depended on this data set resolved: character set to UTF-8, byte order, items. */
  portableElement(element: Element, littleEndian: boolean): Element {
    if (element.items)
      return sequenceElement(
        element.tag,
        element.items.map((item) => item.portableCopy(littleEndian)),
      );
    if (element.fragments || !element.bytes) return element;
    const rule = vrRule(element.vr);
    if (rule.kind === 'text') {
      const raw = element.latin1();
      if (isAscii(raw) || element.charset === UTF8_CHARSET) return element;
      const text = decodeText(element.bytes, element.charset ?? this.charset, element.vr === 'PN');
      const bytes = new Uint8Array(Buffer.from(text, 'utf8'));
      return new Element(element.tag, element.vr, bytes, 0, bytes.length, { charset: UTF8_CHARSET });
    }
    if (this.littleEndian === littleEndian || rule.unit === 1) return element;
    // Pixel cells of 32 bits in OW change places as a whole, as readers in use have it.
    const wide = element.tag === PIXEL_DATA && element.vr === 'OW' && this.number(BITS_ALLOCATED) === 32;
    const bytes = swapped(element.bytes, wide ? 4 : rule.unit);
    return new Element(element.tag, element.vr, bytes, 0, bytes.length);
  }

  /** A copy that depends on nothing around it. Pixel values and other large ones stay views. */
  portableCopy(littleEndian: boolean): Dataset {
    const copy = new Dataset({ charset: UTF8_CHARSET, littleEndian });
    for (const element of this.#elements.values())
      if (element.tag !== SPECIFIC_CHARACTER_SET) copy.put(this.portableElement(element, littleEndian));
    return copy;
  }

  #standardVR(tag: Tag): VR {
    const vr = lookUpTag(tag)?.vr;
    if (vr === 'xs') return this.number(PIXEL_REPRESENTATION) === 1 ? 'SS' : 'US';
    if (vr && isVR(vr)) return vr;
    if (isPrivateCreator(tag)) return 'LO';
    throw new DicomError('invalid-value', `${nameTag(tag)} is not in the dictionary; give its VR.`, {
      where: nameTag(tag),
    });
  }
}

function toTag(k: Keyword | Tag): Tag {
  return typeof k === 'number' ? k : tagOf(k);
}

/** UN with a standard tag is read as what the dictionary says (PS3.5 6.2.2: an application that knows the tag may). */
function effectiveVR(element: Element, dataset: Dataset): VR {
  if (element.vr !== 'UN') return element.vr;
  const vr = lookUpTag(element.tag)?.vr;
  if (vr === 'xs') return dataset.number(PIXEL_REPRESENTATION) === 1 ? 'SS' : 'US';
  return vr && isVR(vr) && vr !== 'SQ' ? vr : 'UN';
}

/** Copy with the bytes of each `unit` reversed; a shorter remainder is copied as it is. */
export function swapped(bytes: Uint8Array, unit: 2 | 4 | 8): Uint8Array {
  const copy = new Uint8Array(bytes);
  const even = copy.subarray(0, bytes.length - (bytes.length % unit));
  const buffer = Buffer.from(even.buffer, even.byteOffset, even.length);
  if (unit === 2) buffer.swap16();
  else if (unit === 4) buffer.swap32();
  else buffer.swap64();
  return copy;
}
