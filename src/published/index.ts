export type { Container } from './checkpointFile';
export { exportSafetensors } from './exportSafetensors';
export { type ExportStateDictOptions, exportStateDict } from './exportStateDict';
export type { GlowImportOptions, GlowLibraryName } from './glowFile';
export { type CheckpointLibrary, type ImportOptions, importCheckpoint } from './importCheckpoint';
export { type CheckpointInfo, type InspectOptions, inspectCheckpoint } from './inspectCheckpoint';
export { type PublishedBits, type PublishedBitsOptions, publishedBits } from './publishedBits';
export { PickledObject } from './pytorch/pickledObject';
export { readTorchFile } from './pytorch/torchFile';
export { readSafetensors, type Safetensors, writeSafetensors } from './safetensors';
export type { ElementType, StoredTensor, StoredTensors } from './storedTensor';
export type {
  Guess,
  GuessedField,
  LayerSettings,
  VectorBase,
  VectorConfig,
  VectorLayer,
  VectorLibraryName,
  VectorSettings,
} from './vectors/config';
export type { VectorImportOptions } from './vectors/importVectorFlow';
export type { Reference } from './vectors/reference';
