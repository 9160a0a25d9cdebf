/**
 * One part of a body after the other, each gathered into memory of its own. A slice is kept in the pieces in which it came and
 * copied once, when its length is known; what is larger goes into a buffer that grows, so that it is never held twice. Memory is
 * taken for what has come, not for what is announced.
 */
const KEPT_IN_PIECES = 4 * 1024 * 1024;
/** More than this share of a buffer may not lie idle. */
const SLACK = 1 / 8;

export class PartBuffer {
  #pieces: Uint8Array[] = [];
  #bytes: Buffer | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (this.#bytes === undefined) this.#pieces.push(piece);
    else this.#append(this.#bytes, piece, length);
    this.#length = length;
    if (this.#bytes === undefined && length > KEPT_IN_PIECES) this.#bytes = this.#together(2 * length);
  }

  /** The part, in memory that nothing else uses; the next one begins. */
  take(): Buffer {
    const length = this.#length;
    const bytes = this.#bytes ?? this.#together(length);
    this.#bytes = undefined;
    this.#length = 0;
    if (bytes.length * (1 - SLACK) <= length) return bytes.subarray(0, length);
    const own = Buffer.allocUnsafeSlow(length);
    own.set(bytes.subarray(0, length));
    return own;
  }

  #together(capacity: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(capacity);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    return bytes;
  }

  #append(bytes: Buffer, piece: Uint8Array, length: number): void {
    let into = bytes;
    if (length > bytes.length) {
      into = Buffer.allocUnsafeSlow(2 * length);
      into.set(bytes.subarray(0, this.#length));
      this.#bytes = into;
    }
    into.set(piece, this.#length);
  }
}
