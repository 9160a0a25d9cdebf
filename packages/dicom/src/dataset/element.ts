/** One data element: its tag, VR and a view on its value; immutable, so that data sets can share elements. */
import type { Dataset } from './dataset.js';
import type { Tag } from './tag.js';
import type { VR } from './vr.js';

export interface ElementParts {
  readonly items?: readonly Dataset[];
  readonly fragments?: readonly Uint8Array[];
  readonly charset?: readonly string[];
}

/** Exactly one of: a value (`bytes`), sequence `items`, or encapsulated `fragments` (the first is the offset table). */
export class Element {
  readonly tag: Tag;
  readonly vr: VR;
  readonly #source: Uint8Array;
  readonly #start: number;
  /** Bytes of the value; 0 for sequences and fragments. */
  readonly length: number;
  /** One field for what few elements have: a header of a hundred elements makes less garbage. */
  readonly #parts: ElementParts | undefined;

  constructor(tag: Tag, vr: VR, source: Uint8Array, start: number, length: number, parts?: ElementParts) {
    this.tag = tag;
    this.vr = vr;
    this.#source = source;
    this.#start = start;
    this.length = length;
    this.#parts = parts;
  }

  get items(): readonly Dataset[] | undefined {
    return this.#parts?.items;
  }

  get fragments(): readonly Uint8Array[] | undefined {
    return this.#parts?.fragments;
  }

  /** Set where the value is in another character set than its data set says: values that we encoded ourselves. */
  get charset(): readonly string[] | undefined {
    return this.#parts?.charset;
  }

  /** View on the value, without copying; undefined for sequences and fragments. In the byte order of its data set. */
  get bytes(): Uint8Array | undefined {
    if (this.#parts?.items || this.#parts?.fragments) return undefined;
    return this.#source.subarray(this.#start, this.#start + this.length);
  }

  /** The value as one character per byte, without making a view first. */
  latin1(): string {
    const { buffer, byteOffset } = this.#source;
    return Buffer.from(buffer, byteOffset + this.#start, this.length).toString('latin1');
  }
}

const NOTHING = new Uint8Array(0);

export function sequenceElement(tag: Tag, items: readonly Dataset[]): Element {
  return new Element(tag, 'SQ', NOTHING, 0, 0, { items });
}

export function fragmentsElement(tag: Tag, vr: VR, fragments: readonly Uint8Array[]): Element {
  return new Element(tag, vr, NOTHING, 0, 0, { fragments });
}
