/** Tests read whole files as the engine does: zips through @isocenter/formats, everything else through bytes. */
import { readFileSync } from 'node:fs';
import { openSources } from '@isocenter/formats';
import type { Checkpoint } from './checkpoint.js';
import { type ReadWeightsOptions, readPyTorchArchive } from './pytorch-archive.js';
import { readPyTorchLegacy } from './pytorch-legacy.js';
import { memoryAccess } from './random-access.js';
import { readSafetensors } from './safetensors/read-safetensors.js';
import { weightsContainer } from './weights-format.js';

export async function readBytes(bytes: Uint8Array, options: ReadWeightsOptions = {}): Promise<Checkpoint> {
  const container = await weightsContainer(memoryAccess(bytes));
  if (container === 'zip') {
    const opened = await openSources(bytes, { expect: 'archive' });
    return readPyTorchArchive(opened.sources, options);
  }
  const read = container === 'safetensors' ? readSafetensors : readPyTorchLegacy;
  return read(memoryAccess(bytes), options);
}

export function readFile(path: string, options?: ReadWeightsOptions): Promise<Checkpoint> {
  return readBytes(readFileSync(path), options);
}
