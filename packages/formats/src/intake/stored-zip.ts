/** A zip of uncompressed entries, whose length is known before a byte of it is made: what HTTP wants for Content-Length. */
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { checkEntryName } from './entry-name.js';
import { zipStream } from './write-zip.js';

export interface StoredContent {
  readonly name: string;
  readonly size: number;
  open(): Promise<Readable>;
}

export interface StoredZip {
  readonly bytes: number;
  /** Starts anew at each call; entries are opened one after the other. A wrong `size` destroys the stream with an error. */
  open(): Readable;
}

/** Throws ArchiveError `unsafe-name`. */
export function storedZip(contents: readonly StoredContent[]): StoredZip {
  return {
    bytes: lengthOf(contents),
    open: () => zipStream(contents.map((content) => ({ ...content, compress: false }))) as Readable,
  };
}

/** Asks the writer itself, with entries that are never read: it knows the length of all headers once it knows the sizes. */
function lengthOf(contents: readonly StoredContent[]): number {
  const zip = new ZipFile();
  contents.forEach(({ name, size }, n) => {
    zip.addReadStreamLazy(
      checkEntryName(name, n + 1),
      { compress: false, forceDosTimestamp: true, size },
      () => undefined,
    );
  });
  let bytes = -1;
  // Called before `end` returns, because every size is known. (@types/yazl does not know that it is told the size.)
  const told = (...sizes: number[]) => {
    bytes = sizes[0];
  };
  zip.end({ forceZip64Format: false, comment: '' }, told);
  return bytes;
}
