/**
 * Checks a protobuf message while its bytes come by, and keeps what is small: numbers and texts as an outline of plain
 * objects, of `bytes` fields only where they lie. So a message with a volume of a gigabyte costs as much as one without.
 * Encoding: protobuf.dev/programming-guides/encoding. Stricter than the usual decoders in one point: a known field of
 * another wire type is an error here and not an unknown field, because it only ever means another message.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { MessageError, malformed } from './message-error.js';

/** Where the content of a `bytes` field lies in the message. */
export interface Extent {
  readonly at: number;
  readonly length: number;
}

export type OutlineValue = number | string | Extent | Outline | OutlineValue[];
export interface Outline {
  [field: string]: OutlineValue;
}

export interface WalkerLimits {
  /** Bytes of one text. */
  readonly text: number;
  /** Bytes of all texts together: they stay in memory until the message is read. */
  readonly texts: number;
  /** Tags in the whole message. */
  readonly fields: number;
}

/** Ids and names have a few hundred bytes; some hundred channels have some thousand fields. */
const INPUT_LIMITS: WalkerLimits = { text: 64 * 1024, texts: 4 * 1024 * 1024, fields: 100_000 };
/** What protobuf allows for one part, and its implementations for groups within groups. */
const LONGEST_PART = 0x7fff_ffff;
const DEEPEST_GROUP = 100;
const VARINT_BYTES = 10;
const LARGEST_NUMBER = 0x1fff_ffff;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

interface Frame {
  /** Undefined inside of packed lists. */
  readonly desc: DescMessage | undefined;
  readonly outline: Outline;
  readonly end: number;
  /** Numbers of the unknown groups that are open. */
  readonly groups: number[];
  /** The list that is packed. */
  readonly packed?: DescField;
}

type Reading = 'tag' | 'value' | 'length';

export class MessageWalker {
  readonly outline: Outline = {};
  readonly #limits: WalkerLimits;
  readonly #frames: Frame[];
  #at = 0;
  #fields = 0;
  #textBytes = 0;
  #reading: Reading = 'tag';
  /** The varint that is read: its low 32 bits, whether higher ones are set, its bytes so far. */
  #low = 0;
  #high = false;
  #count = 0;
  /** Of the part that comes: undefined when nobody knows it. */
  #field: DescField | undefined;
  #skip = 0;
  #held: Buffer | undefined;
  #filled = 0;

  constructor(desc: DescMessage, limits: Partial<WalkerLimits> = {}) {
    this.#limits = { ...INPUT_LIMITS, ...limits };
    this.#frames = [{ desc, outline: this.outline, end: Number.POSITIVE_INFINITY, groups: [] }];
  }

  /** How many of the coming bytes do not matter: whoever has a file may jump over them with `jump`. */
  get skipping(): number {
    return this.#skip;
  }

  jump(): void {
    this.#at += this.#skip;
    this.#skip = 0;
    this.#finished();
  }

  /** Throws MessageError. */
  push(chunk: Uint8Array): void {
    for (let n = 0; n < chunk.length; ) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - n);
        n += taken;
        this.#at += taken;
        this.#skip -= taken;
        if (this.#skip === 0) this.#finished();
      } else if (this.#held) {
        const taken = Math.min(this.#held.length - this.#filled, chunk.length - n);
        this.#held.set(chunk.subarray(n, n + taken), this.#filled);
        n += taken;
        this.#at += taken;
        this.#filled += taken;
        if (this.#filled === this.#held.length) this.#keepHeld(this.#held);
      } else this.#byte(chunk[n++]!);
    }
  }

  /** The message ends here. Throws MessageError. */
  end(): void {
    const [root, ...open] = this.#frames;
    const between = this.#reading === 'tag' && this.#count === 0 && this.#skip === 0 && !this.#held;
    if (!between || open.length > 0 || root!.groups.length > 0) throw malformed(this.#at, 'it is cut off');
  }

  get #frame(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  #byte(byte: number): void {
    if (this.#at >= this.#frame.end) throw malformed(this.#at, 'a number goes past its part');
    this.#at++;
    const bits = byte & 0x7f;
    const shift = 7 * this.#count;
    if (shift < 32) this.#low = (this.#low | (bits << shift)) >>> 0;
    if ((shift >= 32 && bits !== 0) || (shift === 28 && bits > 0xf)) this.#high = true;
    this.#count++;
    if (byte >= 0x80) {
      if (this.#count === VARINT_BYTES) throw malformed(this.#at, 'a number is too long');
      return;
    }
    const [low, high] = [this.#low, this.#high];
    this.#low = 0;
    this.#high = false;
    this.#count = 0;
    if (this.#reading === 'tag') this.#tag(low, high);
    else if (this.#reading === 'length') this.#length(low, high);
    else {
      if (this.#field) this.#keep(this.#field, low === 0 && high && isBool(this.#field) ? 1 : low);
      this.#finished();
    }
  }

  #tag(tag: number, high: boolean): void {
    const number = tag >>> 3;
    const wire = tag & 7;
    if (high || number === 0 || number > LARGEST_NUMBER) throw malformed(this.#at, 'a field has no valid number');
    if (++this.#fields > this.#limits.fields) throw tooLarge(this.#at, `more than ${this.#limits.fields} fields`);
    const { desc, groups } = this.#frame;
    if (wire === GROUP_END) {
      if (groups.pop() !== number) throw malformed(this.#at, 'a group ends that was not begun');
      this.#finished();
      return;
    }
    this.#field = groups.length > 0 ? undefined : desc?.fields.find((field) => field.number === number);
    if (this.#field && !fits(this.#field, wire)) throw malformed(this.#at, `field ${number} has the wrong wire type`);
    if (wire === VARINT) this.#reading = 'value';
    else if (wire === LENGTH) this.#reading = 'length';
    else if (wire === FIXED64) this.#part(8);
    else if (wire === FIXED32) this.#part(4);
    else if (wire === GROUP) {
      groups.push(number);
      if (groups.length > DEEPEST_GROUP) throw tooLarge(this.#at, `groups deeper than ${DEEPEST_GROUP}`);
      this.#finished();
    } else throw malformed(this.#at, `wire type ${wire} does not exist`);
  }

  #length(length: number, high: boolean): void {
    if (high || length > LONGEST_PART) throw malformed(this.#at, 'a part claims more than 2 GiB');
    if (length > this.#frame.end - this.#at) throw malformed(this.#at, 'a part is longer than what it lies in');
    const field = this.#field;
    if (field?.message) {
      const outline: Outline = this.#inside(field);
      this.#open({ desc: field.message, outline, end: this.#at + length, groups: [] });
    } else if (field?.fieldKind === 'list' && !isLengthy(field)) {
      this.#open({ desc: undefined, outline: this.#frame.outline, end: this.#at + length, groups: [], packed: field });
    } else this.#part(length);
  }

  /** `length` bytes come: of a text or a double they are held, of everything else they go by. */
  #part(length: number): void {
    const field = this.#field;
    const scalar = field && scalarOf(field);
    if (field && scalar === ScalarType.BYTES) this.#keep(field, { at: this.#at, length });
    if (scalar === ScalarType.STRING && length > this.#limits.text)
      throw tooLarge(this.#at, `a text of ${length} bytes, at most ${this.#limits.text} are taken`);
    if (scalar === ScalarType.STRING) this.#textBytes += length;
    if (this.#textBytes > this.#limits.texts)
      throw tooLarge(this.#at, `more than ${this.#limits.texts} bytes of texts`);
    if (scalar === ScalarType.STRING || scalar === ScalarType.DOUBLE) {
      this.#held = Buffer.alloc(length);
      this.#filled = 0;
      if (length === 0) this.#keepHeld(this.#held);
      return;
    }
    this.#skip = length;
    if (length === 0) this.#finished();
  }

  #keepHeld(held: Buffer): void {
    const field = this.#field!;
    this.#held = undefined;
    this.#keep(field, scalarOf(field) === ScalarType.DOUBLE ? held.readDoubleLE(0) : this.#text(held));
    this.#finished();
  }

  #text(held: Buffer): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(held);
    } catch {
      throw malformed(this.#at, 'a text is not UTF-8');
    }
  }

  /** The outline of a message field: of a list a new one, else the one that came before (they are merged). */
  #inside(field: DescField): Outline {
    const { outline } = this.#frame;
    const before = outline[field.name];
    if (field.fieldKind !== 'list' && before !== undefined) return before as Outline;
    const inside: Outline = {};
    this.#keep(field, inside);
    return inside;
  }

  #keep(field: DescField, value: OutlineValue): void {
    const { outline } = this.#frame;
    if (field.fieldKind !== 'list') outline[field.name] = value;
    else {
      const list = outline[field.name];
      if (Array.isArray(list)) list.push(value);
      else outline[field.name] = [value];
    }
  }

  #open(frame: Frame): void {
    this.#frames.push(frame);
    this.#finished();
  }

  /** A part has ended here, and with it whatever ends at the same byte. */
  #finished(): void {
    while (this.#at === this.#frame.end) {
      if (this.#frame.groups.length > 0) throw malformed(this.#at, 'a group is not closed');
      this.#frames.pop();
    }
    const { packed } = this.#frame;
    this.#field = packed;
    this.#reading = packed ? 'value' : 'tag';
  }
}

function fits(field: DescField, wire: number): boolean {
  if (field.fieldKind === 'list' && !isLengthy(field)) return wire === LENGTH || wire === wireOf(field);
  return wire === wireOf(field);
}

function wireOf(field: DescField): number {
  if (isLengthy(field)) return LENGTH;
  return scalarOf(field) === ScalarType.DOUBLE ? FIXED64 : VARINT;
}

/** Content with a length of its own: messages, texts, bytes. */
function isLengthy(field: DescField): boolean {
  const scalar = scalarOf(field);
  return field.message !== undefined || scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

function scalarOf(field: DescField): ScalarType | undefined {
  return field.fieldKind === 'scalar' || field.fieldKind === 'list' ? field.scalar : undefined;
}

const isBool = (field: DescField): boolean => scalarOf(field) === ScalarType.BOOL;

function tooLarge(at: number, what: string): MessageError {
  return new MessageError('too-large', `No message of this protocol has ${what}`, { where: `byte ${at}` });
}
