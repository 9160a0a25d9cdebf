/** A study on this machine as bytes to send: a file as it is, a folder as a zip that is made while it is sent. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { type ZipStreamed, zipStream } from '@isocenter/formats';
import { Failure, type Watch } from '@isocenter/volume';

export class StudyToSendError extends Failure<'empty-folder'> {}

export interface StudyToSend {
  readonly stream: AsyncIterable<Uint8Array>;
  readonly mediaType: 'application/zip' | 'application/octet-stream' | 'application/gzip' | 'application/dicom';
}

const mediaTypes: Readonly<Record<string, StudyToSend['mediaType']>> = {
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.dcm': 'application/dicom',
};

/** `path`: a file or folder that exists. File names of a folder are replaced by numbers: they may name a patient. */
export async function readStudy(path: string, watch: Watch = {}): Promise<StudyToSend> {
  const info = await stat(path);
  if (info.isDirectory()) {
    const files = await filesBelow(path);
    if (files.length === 0)
      throw new StudyToSendError('empty-folder', 'There is no file in this folder', {
        next: 'Name the folder of the images.',
      });
    const total = files.reduce((sum, { size }) => sum + size, 0);
    return { stream: counted(zipOf(files), total, watch), mediaType: 'application/zip' };
  }
  return {
    stream: counted(createReadStream(path), info.size, watch),
    mediaType: mediaTypes[extname(path).toLowerCase()] ?? 'application/octet-stream',
  };
}

interface FileToSend {
  readonly path: string;
  /** First folder below the study: the name of a channel. */
  readonly channel: string;
  readonly size: number;
}

async function filesBelow(folder: string): Promise<readonly FileToSend[]> {
  const found: FileToSend[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const path = join(entry.parentPath, entry.name);
    const parts = relative(folder, path).split(sep);
    found.push({ path, channel: parts.length > 1 ? `${parts[0]}/` : '', size: (await stat(path)).size });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Fast compression: uncompressed slices halve, and the network is rarely slower than that. */
const LEVEL = 1;

function zipOf(files: readonly FileToSend[]): AsyncIterable<Uint8Array> {
  const contents: ZipStreamed[] = files.map(({ path, channel, size }, at) => ({
    name: `${channel}${String(at + 1).padStart(6, '0')}${extname(path)}`,
    size,
    open: async () => createReadStream(path),
  }));
  return zipStream(contents, { level: LEVEL }) as NodeJS.ReadableStream & AsyncIterable<Uint8Array>;
}

async function* counted(source: AsyncIterable<Uint8Array>, total: number, watch: Watch): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of source) {
    done += chunk.length;
    watch.progress?.(Math.min(done, total), total, 'send');
    yield chunk;
  }
}
