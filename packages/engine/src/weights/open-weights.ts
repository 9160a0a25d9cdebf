/**
 * A file of weights on disk, ready for `@isocenter/graph` to read: zips through the one archive reader, everything else by
 * ranges of the open file. Nothing of it is executed; which format it is, its first bytes say.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type OpenedSources, openSources } from '@isocenter/formats';
import {
  type Checkpoint,
  fileAccess,
  type ReadWeightsOptions,
  readPyTorchArchive,
  readPyTorchLegacy,
  readSafetensors,
  WeightsError,
  weightsContainer,
} from '@isocenter/graph/weights';

export interface OpenedWeights {
  readonly checkpoint: Checkpoint;
  /** Its tensors cannot be read afterwards. */
  close(): Promise<void>;
}

/** Throws WeightsError and ArchiveError. The caller closes what it gets. */
export async function openWeights(path: string, options: ReadWeightsOptions = {}): Promise<OpenedWeights> {
  const handle = await open(path, 'r').catch((cause) => {
    throw unreadable(cause);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw unreadable();
    const file = fileAccess(handle, stats.size);
    const container = await weightsContainer(file);
    if (container !== 'zip') {
      const read = container === 'safetensors' ? readSafetensors : readPyTorchLegacy;
      const checkpoint = await read(file, options);
      return { checkpoint, close: () => handle.close() };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  return openArchive(path, handle, options);
}

async function openArchive(path: string, handle: FileHandle, options: ReadWeightsOptions): Promise<OpenedWeights> {
  await handle.close();
  const archive: OpenedSources = await openSources(path, { expect: 'archive' });
  try {
    return { checkpoint: await readPyTorchArchive(archive.sources, options), close: () => archive.close() };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function unreadable(cause?: unknown): WeightsError {
  return new WeightsError('unreadable', 'The weights cannot be read: there is no such file, or it may not be opened', {
    cause,
    next: 'Give the path of a .pt, .pth, .ts or .safetensors file.',
  });
}
