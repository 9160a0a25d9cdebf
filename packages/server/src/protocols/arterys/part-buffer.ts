/**
 * One part of a body after the other, each gathered into a buffer of its own: slices of a series are equally long, so the one
 * before says how much to take, and each byte is copied once. Memory is taken for what has come, not for what is announced.
 */
const SMALLEST = 4096;
/** More than this share of a buffer may not lie idle. */
const SLACK = 1 / 8;

export class PartBuffer {
  #first: Uint8Array | undefined;
  #bytes: Buffer | undefined;
  #length = 0;
  #before = 0;

  get length(): number {
    return this.#length;
  }

  add(chunk: Uint8Array): void {
    if (this.#length === 0) {
      this.#first = chunk;
      this.#length = chunk.length;
      return;
    }
    const needed = this.#length + chunk.length;
    if (needed > (this.#bytes?.length ?? 0)) this.#grow(needed);
    this.#bytes!.set(chunk, this.#length);
    this.#length = needed;
  }

  /** The part, in memory of its own; the next one begins. */
  take(): Buffer {
    const length = this.#length;
    const bytes = this.#bytes ?? this.#first ?? Buffer.alloc(0);
    this.#before = length;
    this.#length = 0;
    this.#first = undefined;
    this.#bytes = undefined;
    if (Buffer.isBuffer(bytes) && bytes.byteLength === bytes.buffer.byteLength && bytes.length * (1 - SLACK) <= length)
      return bytes.subarray(0, length);
    const own = Buffer.allocUnsafeSlow(length);
    own.set(bytes.subarray(0, length));
    return own;
  }

  #grow(needed: number): void {
    const doubled = Math.max(SMALLEST, needed, 2 * (this.#bytes?.length ?? 0));
    const larger = Buffer.allocUnsafeSlow(this.#bytes ? doubled : Math.max(needed, this.#before));
    larger.set((this.#bytes ?? this.#first!).subarray(0, this.#length));
    this.#bytes = larger;
    this.#first = undefined;
  }
}
