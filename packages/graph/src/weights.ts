/** `@isocenter/graph/weights`: readers and writers of weights alone, for programs that start often and build no graph. */
export type { Checkpoint, CheckpointValue, NamedTensor, WeightsFormat } from './weights/checkpoint.js';
export { ELEMENT_TYPES, type ElementType } from './weights/element-type.js';
export { DEFAULT_WEIGHTS_LIMITS, type WeightsLimits } from './weights/limits.js';
export { loadTensor } from './weights/load-tensor.js';
export type { Refusal } from './weights/pickle/refusal.js';
export { type ArchiveEntry, type ReadWeightsOptions, readPyTorchArchive } from './weights/pytorch-archive.js';
export { readPyTorchLegacy } from './weights/pytorch-legacy.js';
export { fileAccess, memoryAccess, type RandomAccess } from './weights/random-access.js';
export { readSafetensors } from './weights/safetensors/read-safetensors.js';
export { safetensorsChunks, writeSafetensors } from './weights/safetensors/write-safetensors.js';
export { type StateDict, stateDictOf } from './weights/state-dict.js';
export { WeightsError, type WeightsErrorKind } from './weights/weights-error.js';
export { weightsContainer } from './weights/weights-format.js';
export { type WritableTensor, writable } from './weights/writable-tensor.js';
export { stateDictChunks, writeStateDict } from './weights/write-state-dict.js';
