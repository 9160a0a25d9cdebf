/** A range of what can only be read from its start. */
import { type Readable, Transform } from 'node:stream';

/** Bytes `first` to `last`, both included; the rest of the source is not read. */
export function sliced(source: Readable, first: number, last: number): Readable {
  let position = 0;
  const cut = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const start = position;
      position += chunk.length;
      const part = chunk.subarray(Math.max(0, first - start), Math.max(0, last + 1 - start));
      if (part.length > 0) this.push(part);
      if (position > last) {
        this.push(null);
        source.destroy();
      }
      done();
    },
  });
  source.once('error', (error) => cut.destroy(error));
  cut.once('close', () => source.destroy());
  return source.pipe(cut);
}
