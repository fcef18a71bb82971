export type { Container } from './checkpointFile';
export { exportSafetensors } from './exportSafetensors';
export { type ExportStateDictOptions, exportStateDict } from './exportStateDict';
export { type CheckpointFormat, type ImportOptions, importCheckpoint } from './importCheckpoint';
export { type CheckpointInfo, inspectCheckpoint } from './inspectCheckpoint';
export { type PublishedBits, type PublishedBitsOptions, publishedBits } from './publishedBits';
export { readTorchFile } from './pytorch/torchFile';
export { readSafetensors, type Safetensors, writeSafetensors } from './safetensors';
export type { ElementType, StoredTensor, StoredTensors } from './storedTensor';
