/** A writable stream's text, slowly read, for tests. */
import { Writable } from 'node:stream';

export async function collect(write: (stream: Writable) => Promise<unknown>): Promise<string> {
  const parts: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 64,
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk);
      setImmediate(done);
    },
  });
  await write(stream);
  await new Promise<void>((resolve) => stream.end(resolve));
  return Buffer.concat(parts).toString('utf8');
}
