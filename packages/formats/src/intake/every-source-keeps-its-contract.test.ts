import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { byteSourceSuite } from './byte-source.suite.js';
import { openSources } from './open-sources.js';
import { bufferSource } from './source.js';
import { writeZip } from './write-zip.js';

byteSourceSuite('in memory', async (bytes) => ({ source: bufferSource(bytes, 'x'), close: async () => {} }));
byteSourceSuite('in a file of a folder', (bytes) =>
  fromDisk((folder) => writeFile(join(folder, 'in/x'), bytes).then(() => join(folder, 'in'))),
);
byteSourceSuite('deflated in a zip', async (bytes) => fromArchive(await writeZip([{ name: 'a/x', bytes }])));
byteSourceSuite('stored in a zip', async (bytes) =>
  fromArchive(await writeZip([{ name: 'a/x', bytes, compress: false }])),
);
byteSourceSuite('in a tar', (bytes) => fromDisk((folder) => tar(folder, bytes, '-cf')));
byteSourceSuite('in a tar.gz', (bytes) => fromDisk((folder) => tar(folder, bytes, '-czf')));
byteSourceSuite('in a gzip', async (bytes) => fromArchive(gzipSync(bytes)));

async function fromArchive(input: string | Uint8Array) {
  const opened = await openSources(input);
  return { source: opened.sources[0], close: () => opened.close() };
}

async function fromDisk(make: (folder: string) => Promise<string>) {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-source-'));
  await mkdir(join(folder, 'in'));
  const opened = await fromArchive(await make(folder));
  return { source: opened.source, close: () => opened.close().then(() => rm(folder, { recursive: true })) };
}

async function tar(folder: string, bytes: Uint8Array, flags: string): Promise<string> {
  await writeFile(join(folder, 'in/x'), bytes);
  execFileSync('tar', [flags, join(folder, 'archive'), '-C', join(folder, 'in'), 'x']);
  return join(folder, 'archive');
}
