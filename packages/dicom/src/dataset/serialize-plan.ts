/** The two passes of the writer: what every element will look like and how long it is, then the bytes. */
import { isAscii, UTF8_CHARSET } from './charset.js';
import type { Dataset } from './dataset.js';
import { Element } from './element.js';
import { DicomError } from './errors.js';
import { nameTag, type Tag } from './tag.js';
import type { TransferSyntax } from './transfer-syntax.js';
import { type VR, vrRule } from './vr.js';

export interface PlannedElement {
  readonly tag: Tag;
  readonly vr: VR;
  readonly header: 8 | 12;
  /** Bytes behind the header, padding and delimiters included. */
  readonly size: number;
  readonly bytes?: Uint8Array;
  readonly items?: readonly PlannedDataset[];
  readonly fragments?: readonly Uint8Array[];
  /** Sequence with undefined length. */
  readonly open?: boolean;
}

export interface PlannedDataset {
  readonly elements: readonly PlannedElement[];
  readonly size: number;
}

const SPECIFIC_CHARACTER_SET = 0x00080005;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const UNDEFINED_LENGTH = 0xffffffff;
const ITEM_HEADER = 8;
/** Largest even length of a 16-bit length field. */
const MAX_SHORT_LENGTH = 0xfffe;
const MAX_LONG_LENGTH = 0xfffffffe;
const META_GROUP = 2;
const PIXEL_DATA = 0x7fe00010;

function even(length: number): number {
  return length + (length & 1);
}

/** Whether any text below is not plain ASCII in its present form, so that the whole file becomes UTF-8. */
function needsUtf8(dataset: Dataset): boolean {
  for (const element of dataset.elements.values()) {
    if (element.items?.some(needsUtf8)) return true;
    if (element.length > 0 && vrRule(element.vr).kind === 'text' && !isAscii(element.latin1())) return true;
  }
  return false;
}

/**
 * Plans a data set in `syntax`. At the top level, (0008,0005) becomes ISO_IR 192 when any text is not ASCII; items then
 * lose their own. Group lengths are left out (PS3.5 7.2: retired). Throws DicomError 'invalid-value'.
 */
export function planDataset(
  dataset: Dataset,
  syntax: TransferSyntax,
  definedLengths: boolean,
  meta = false,
): PlannedDataset {
  const utf8 = needsUtf8(dataset);
  return plan(dataset, { syntax, definedLengths, utf8, meta, top: dataset }, true);
}

interface PlanContext {
  readonly syntax: TransferSyntax;
  readonly definedLengths: boolean;
  readonly utf8: boolean;
  readonly top: Dataset;
  /** The data set is group 0002 itself; elsewhere that group is left out. */
  readonly meta: boolean;
}

function plan(dataset: Dataset, context: PlanContext, top: boolean): PlannedDataset {
  const elements: PlannedElement[] = [];
  let size = 0;
  const source = withCharset(dataset, context, top);
  for (const element of source.sort((a, b) => a.tag - b.tag)) {
    const isGroupLength = (element.tag & 0xffff) === 0 && element.tag >>> 16 !== 0;
    if (isGroupLength || (element.tag >>> 16 === META_GROUP && !context.meta)) continue;
    const planned = planElement(element, dataset, context);
    elements.push(planned);
    size += planned.header + planned.size;
  }
  return { elements, size };
}

function withCharset(dataset: Dataset, context: PlanContext, top: boolean): Element[] {
  const elements = [...dataset.elements.values()];
  if (!context.utf8) return elements;
  const others = elements.filter((element) => element.tag !== SPECIFIC_CHARACTER_SET);
  if (!top) return others;
  const term = new Uint8Array(Buffer.from(UTF8_CHARSET[0] as string, 'latin1'));
  return [...others, new Element(SPECIFIC_CHARACTER_SET, 'CS', term, 0, term.length)];
}

function planElement(element: Element, owner: Dataset, context: PlanContext): PlannedElement {
  const { tag } = element;
  const { syntax, definedLengths } = context;
  const longHeader = syntax.explicit ? 12 : 8;
  if (element.items) {
    const items = element.items.map((item) => plan(item, context, false));
    const delimiters = definedLengths ? 0 : ITEM_HEADER;
    const size = items.reduce((sum, item) => sum + ITEM_HEADER + item.size + delimiters, delimiters);
    if (definedLengths && size > MAX_LONG_LENGTH)
      throw new DicomError('invalid-value', `${nameTag(tag)} has more than 4 GB.`, { where: nameTag(tag) });
    return { tag, vr: 'SQ', header: longHeader, size, items, open: !definedLengths };
  }
  if (element.fragments) {
    if (syntax.encoding === 'native') throw wrongPixels(element, syntax);
    const size = element.fragments.reduce((sum, fragment) => sum + ITEM_HEADER + even(fragment.length), ITEM_HEADER);
    return { tag, vr: 'OB', header: longHeader, size, fragments: element.fragments };
  }
  if (tag === PIXEL_DATA && element.length > 0 && syntax.encoding !== 'native' && context.top === owner)
    throw wrongPixels(element, syntax);
  const bytes = owner.portableElement(element, syntax.littleEndian).bytes as Uint8Array;
  const size = even(bytes.length);
  if (size > MAX_LONG_LENGTH)
    throw new DicomError('invalid-value', `${nameTag(tag)} has more than 4 GB.`, { where: nameTag(tag) });
  const tooLongForVR = syntax.explicit && !vrRule(element.vr).long && size > MAX_SHORT_LENGTH;
  // PS3.5 6.2.2 note 2 and CP-1066: a value too long for its explicit VR's 16-bit length goes as UN with 32 bits.
  const vr = tooLongForVR ? 'UN' : element.vr;
  return { tag, vr, header: syntax.explicit && vrRule(vr).long ? 12 : 8, size, bytes };
}

function wrongPixels(element: Element, syntax: TransferSyntax): DicomError {
  const state = element.fragments ? 'encapsulated' : 'not encapsulated';
  return new DicomError('inconsistent', `The pixel data is ${state}, which ${syntax.name} does not take.`, {
    where: nameTag(element.tag),
    next: 'Decode or encode the frames to the transfer syntax first (encodeFrames).',
  });
}

/** Writes planned elements one after the other into bytes that are exactly large enough. */
export class ElementWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #syntax: TransferSyntax;
  #at: number;

  constructor(bytes: Uint8Array, at: number, syntax: TransferSyntax) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = at;
    this.#syntax = syntax;
  }

  write(elements: readonly PlannedElement[]): void {
    for (const element of elements) {
      this.#header(element);
      if (element.items) this.#items(element.items, element.open ?? false);
      else if (element.fragments) this.#fragments(element.fragments);
      else if (element.bytes) this.#value(element.bytes, vrRule(element.vr).pad, element.size);
    }
  }

  #tag(tag: Tag): void {
    this.#view.setUint16(this.#at, tag >>> 16, this.#syntax.littleEndian);
    this.#view.setUint16(this.#at + 2, tag & 0xffff, this.#syntax.littleEndian);
    this.#at += 4;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#at, value, this.#syntax.littleEndian);
    this.#at += 4;
  }

  #header(element: PlannedElement): void {
    const length = element.fragments || element.open ? UNDEFINED_LENGTH : element.size;
    this.#tag(element.tag);
    if (!this.#syntax.explicit) {
      this.#u32(length);
      return;
    }
    this.#bytes[this.#at] = element.vr.charCodeAt(0);
    this.#bytes[this.#at + 1] = element.vr.charCodeAt(1);
    if (element.header === 12) {
      this.#at += 4;
      this.#u32(length);
    } else {
      this.#view.setUint16(this.#at + 2, length, this.#syntax.littleEndian);
      this.#at += 4;
    }
  }

  #value(bytes: Uint8Array, pad: number, size: number): void {
    this.#bytes.set(bytes, this.#at);
    if (size > bytes.length) this.#bytes[this.#at + bytes.length] = pad;
    this.#at += size;
  }

  #items(items: readonly PlannedDataset[], open: boolean): void {
    for (const item of items) {
      this.#tag(ITEM);
      this.#u32(open ? UNDEFINED_LENGTH : item.size);
      this.write(item.elements);
      if (open) this.#delimiter(ITEM_END);
    }
    if (open) this.#delimiter(SEQUENCE_END);
  }

  #fragments(fragments: readonly Uint8Array[]): void {
    for (const fragment of fragments) {
      this.#tag(ITEM);
      this.#u32(even(fragment.length));
      this.#value(fragment, 0, even(fragment.length));
    }
    this.#delimiter(SEQUENCE_END);
  }

  #delimiter(tag: Tag): void {
    this.#tag(tag);
    this.#u32(0);
  }
}
