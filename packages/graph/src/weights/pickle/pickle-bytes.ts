/** The operands of pickle instructions, as Python's `pickletools` describes them; each length is checked before it is used. */
import { FETCH_AGAIN, WeightsError } from '../weights-error.js';

/** A line of protocol 0: numbers, names. Longer ones are no number and no name. */
const LONGEST_LINE = 65_536;
/** PyTorch's own longest number is its magic of ten bytes. */
const LARGEST_INTEGER_BYTES = 64;
const LONGEST_DECIMAL = 160;

export class PickleBytes {
  /** First byte of the instruction at work: the offset that errors name. */
  opcodeAt = 0;
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.view.getUint8(this.take(1));
  }

  uint16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** A length of 64 bits. */
  uint64(): number {
    const value = this.view.getBigUint64(this.take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.corrupt(`A length of ${value} bytes is impossible`);
    return Number(value);
  }

  float64(): number {
    return this.view.getFloat64(this.take(8), false);
  }

  /** A copy of its own would double the file; nobody writes into these. */
  slice(length: number): Uint8Array {
    const from = this.take(length);
    return this.bytes.subarray(from, from + length);
  }

  utf8(length: number): string {
    return utf8.decode(this.slice(length));
  }

  /** Python 2 `str`: bytes, mostly ASCII names. */
  latin1(length: number): string {
    return latin1(this.slice(length));
  }

  line(): string {
    const end = this.bytes.indexOf(NEWLINE, this.at);
    if (end < 0) throw this.truncated();
    if (end - this.at > LONGEST_LINE) throw this.corrupt(`A line of ${end - this.at} bytes is no name and no number`);
    const text = this.utf8(end - this.at);
    this.at += 1;
    return text;
  }

  /** `I`: a number; protocols 0 and 1 write truth as `01` and `00`. */
  decimalOrTruth(): number | bigint | boolean {
    const [digit, truth, end] = this.bytes.subarray(this.at, this.at + 3);
    if (digit !== ZERO || end !== NEWLINE || (truth !== ZERO && truth !== ZERO + 1)) return this.decimal();
    this.at += 3;
    return truth !== ZERO;
  }

  /** `L`: decimal text, which may end with the letter L. */
  decimal(): number | bigint {
    const text = this.line().replace(/L$/, '');
    if (text.length > LONGEST_DECIMAL || !/^[+-]?\d+$/.test(text)) throw this.corrupt('A number is none');
    return plain(BigInt(text));
  }

  decimalFloat(): number {
    const text = this.line();
    const special = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }[text];
    if (special !== undefined) return special;
    if (text.length > LONGEST_DECIMAL || text === '' || !/^[-+0-9.eE]+$/.test(text) || Number.isNaN(Number(text)))
      throw this.corrupt('A number is none');
    return Number(text);
  }

  /** Two's complement, little-endian. */
  integer(length: number): number | bigint {
    if (length > LARGEST_INTEGER_BYTES) throw this.corrupt(`A number of ${length} bytes is larger than any real one`);
    const bytes = this.slice(length);
    let value = 0n;
    for (let n = bytes.length - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[n]);
    return plain(BigInt.asIntN(Math.max(8 * bytes.length, 1), value));
  }

  index(): number {
    const text = this.line();
    if (!/^\d{1,10}$/.test(text)) throw this.corrupt('An index is no number');
    return Number(text);
  }

  corrupt(message: string): WeightsError {
    return new WeightsError('corrupt', message, { offset: this.opcodeAt, next: FETCH_AGAIN });
  }

  private take(length: number): number {
    const from = this.at;
    if (length < 0) throw this.corrupt('A length is negative');
    if (from + length > this.bytes.length) throw this.truncated();
    this.at += length;
    return from;
  }

  private truncated(): WeightsError {
    return new WeightsError('truncated', 'The pickle ends before what it announces', {
      offset: this.opcodeAt,
      next: FETCH_AGAIN,
    });
  }
}

const NEWLINE = 0x0a;
const ZERO = 0x30;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** A number where it is exact, which all real ones are. */
function plain(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
