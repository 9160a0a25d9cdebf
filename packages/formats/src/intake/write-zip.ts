/** Zips that are the same bytes for the same content, on any day and in any time zone. */
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { checkEntryName } from './entry-name.js';

export interface ZipContent {
  /** Relative, `/` as separator. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** False for bytes that are compressed already. Default true. */
  readonly compress?: boolean;
}

export interface WriteZipOptions {
  /** 0 to 9; default 6. */
  readonly level?: number;
}

/** Any fixed day; in local time, which is what DOS time stamps are, so every zone writes the same fields. */
const FIXED_DAY = () => new Date(2000, 0, 1);
const FILE_MODE = 0o100644;

/** A stream of the zip's bytes, entries in the order given. Throws ArchiveError `unsafe-name`. */
export function zipStream(contents: Iterable<ZipContent>, options: WriteZipOptions = {}): NodeJS.ReadableStream {
  const zip = new ZipFile();
  let position = 0;
  for (const { name, bytes, compress = true } of contents) {
    position++;
    zip.addBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), checkEntryName(name, position), {
      mtime: FIXED_DAY(),
      forceDosTimestamp: true,
      mode: FILE_MODE,
      compress,
      ...(compress ? { compressionLevel: options.level ?? 6 } : {}),
    });
  }
  zip.end();
  return zip.outputStream;
}

export function writeZip(contents: Iterable<ZipContent>, options: WriteZipOptions = {}): Promise<Buffer> {
  return buffer(zipStream(contents, options));
}
