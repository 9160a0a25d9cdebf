/** Zips that are the same bytes for the same content, on any day and in any time zone. */
import type { Readable } from 'node:stream';
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

/** Content that is read when its turn comes, so that a zip of any size needs little memory. */
export interface ZipStreamed {
  readonly name: string;
  /** Bytes, when known. */
  readonly size?: number;
  open(): Promise<Readable>;
  readonly compress?: boolean;
}

export interface WriteZipOptions {
  /** 0 to 9; default 6. */
  readonly level?: number;
}

/** Any fixed day; in local time, which is what DOS time stamps are, so every zone writes the same fields. */
const FIXED_DAY = () => new Date(2000, 0, 1);
const FILE_MODE = 0o100644;

/**
 * A stream of the zip's bytes, entries in the order given. Throws ArchiveError `unsafe-name`; a content that fails to open
 * or to be read destroys the stream with its error.
 */
export function zipStream(
  contents: Iterable<ZipContent | ZipStreamed>,
  options: WriteZipOptions = {},
): NodeJS.ReadableStream {
  const zip = new ZipFile();
  const fail = (error: Error) => (zip.outputStream as Readable).destroy(error);
  zip.on('error', fail);
  let position = 0;
  for (const content of contents) {
    position++;
    const { name, compress = true } = content;
    const attributes = {
      mtime: FIXED_DAY(),
      forceDosTimestamp: true,
      mode: FILE_MODE,
      compress,
      ...(compress ? { compressionLevel: options.level ?? 6 } : {}),
    };
    const safeName = checkEntryName(name, position);
    if ('bytes' in content) {
      const { bytes } = content;
      zip.addBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), safeName, attributes);
    } else
      zip.addReadStreamLazy(
        safeName,
        { ...attributes, ...(content.size === undefined ? {} : { size: content.size }) },
        (give) =>
          content.open().then(
            (stream) => {
              stream.on('error', fail);
              give(null, stream);
            },
            (error: Error) => give(error, undefined as never),
          ),
      );
  }
  zip.end();
  return zip.outputStream;
}

export function writeZip(contents: Iterable<ZipContent>, options: WriteZipOptions = {}): Promise<Buffer> {
  return buffer(zipStream(contents, options));
}
