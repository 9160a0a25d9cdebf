/**
 * Walks protobuf bytes of a file field by field, through one small window, without reading what nobody wants: the weights
 * of a network stay on the disk. No length is believed before it is compared with the message around it.
 * Encoding: protobuf.dev/programming-guides/encoding.
 */
import type { FileHandle } from 'node:fs/promises';
import { RegistryError } from '../registry-error.js';

export interface WireField {
  readonly number: number;
  /** 0: varint, 1: 8 bytes, 2: length-delimited, 5: 4 bytes. */
  readonly wire: 0 | 1 | 2 | 5;
  /** Of a varint; larger than 2^53 is cut (no field that we read is). */
  readonly value: number;
  /** Where the tag begins, and where the content does. */
  readonly tagAt: number;
  readonly at: number;
  readonly length: number;
}

const WINDOW = 64 * 1024;
/** A tag and a length: two varints. */
const HEADER = 20;
/** Real networks have some hundred thousand; more only costs time. */
const MAXIMUM_FIELDS = 5_000_000;

export class WireReader {
  readonly #file: FileHandle;
  readonly #size: number;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;
  #fields = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Throws RegistryError `not-a-model` on anything that is no protobuf message. */
  async *fields(from: number, end: number): AsyncGenerator<WireField> {
    if (end > this.#size) throw broken(from, 'the file ends before it should');
    for (let at = from; at < end; ) {
      if (++this.#fields > MAXIMUM_FIELDS) throw broken(at, 'it has too many parts');
      await this.#need(at, Math.min(HEADER, end - at));
      const [tag, afterTag] = this.#varint(at, end);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (number === 0) throw broken(at, 'a field has no number');
      let [value, content, length] = [0, afterTag, 0];
      if (wire === 0) {
        const [read, after] = this.#varint(afterTag, end);
        value = read;
        length = after - afterTag;
      } else if (wire === 2) [length, content] = this.#varint(afterTag, end);
      else if (wire === 1 || wire === 5) length = wire === 1 ? 8 : 4;
      else throw broken(at, `wire type ${wire} is not used by ONNX`);
      if (length > end - content)
        throw broken(at, `a part claims ${length} bytes, ${Math.max(0, end - content)} are left`);
      yield { number, wire, value, tagAt: at, at: content, length } as WireField;
      at = content + length;
    }
  }

  /** A short text; what is longer than `limit` is refused, because no real name is. */
  async text(field: WireField, limit: number): Promise<string> {
    if (field.wire !== 2 || field.length > limit) throw broken(field.at, 'a name is too long');
    await this.#need(field.at, field.length);
    return this.#window.toString('utf8', field.at - this.#start, field.at - this.#start + field.length);
  }

  async #need(at: number, count: number): Promise<void> {
    if (at >= this.#start && at + count <= this.#start + this.#window.length) return;
    const window = Buffer.alloc(Math.min(Math.max(count, WINDOW), this.#size - at));
    const { bytesRead } = await this.#file.read(window, 0, window.length, at);
    if (bytesRead < count) throw broken(at, 'the file ends before it should');
    this.#window = window.subarray(0, bytesRead);
    this.#start = at;
  }

  #varint(at: number, end: number): [value: number, after: number] {
    let value = 0;
    for (let n = 0; n < 10; n++) {
      if (at + n >= end) throw broken(at, 'a number is cut off');
      const byte = this.#window[at + n - this.#start];
      value += (byte & 0x7f) * 2 ** (7 * n);
      if (byte < 0x80) return [value, at + n + 1];
    }
    throw broken(at, 'a number is too long');
  }
}

export function broken(at: number, why: string): RegistryError {
  return new RegistryError('not-a-model', `This is no whole ONNX file: ${why}`, {
    where: `byte ${at}`,
    next: 'Export or copy the file again',
  });
}
