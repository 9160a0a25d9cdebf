/**
 * The part of the engine that a server needs from its first moment: processes, their folders, their memory, their ends. It
 * loads no decoder, encoder or network, which take longer than a start may (index.ts brings them when work comes).
 */
export { builtEntry } from './runtime/built-entry.js';
export { cancelled, crashed, overMemory, overTime } from './runtime/compute-endings.js';
export { ComputeError, type ComputeErrorKind, ForwardedFailure } from './runtime/compute-error.js';
export { sweepExchangeFolders } from './runtime/exchange-folder.js';
export { megabytes, PROCESS_BYTES, sumOf } from './runtime/forecast.js';
export { WITHOUT_TELEMETRY } from './runtime/import-onnx.js';
export { makeOwnedFolder, refreshOwnedFolder, sweepOwnedFolders } from './runtime/owned-folder.js';
export {
  identityIn,
  identityText,
  type Life,
  lifeOf,
  ownIdentity,
  type ProcessIdentity,
} from './runtime/process-identity.js';
export { type ProcessMemory, processMemory } from './runtime/process-memory.js';
