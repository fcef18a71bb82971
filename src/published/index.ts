export type { ChannelOrders } from './channelOrders';
export type { Container } from './checkpointFile';
export type { WrittenGlow } from './exportGlow';
export { exportSafetensors } from './exportSafetensors';
export { type ExportStateDictOptions, exportStateDict, type StateDictCode } from './exportStateDict';
export type { GlowImportOptions, GlowLibraryName } from './glowFile';
export { type CheckpointLibrary, type ImportOptions, importCheckpoint } from './importCheckpoint';
export { type CheckpointInfo, type InspectOptions, inspectCheckpoint } from './inspectCheckpoint';
export { type PublishedBits, type PublishedBitsOptions, publishedBits } from './publishedBits';
export { PickledObject } from './pytorch/pickledObject';
export { readTorchFile } from './pytorch/torchFile';
export { readSafetensors, type Safetensors, type WholeType, writeSafetensors } from './safetensors';
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
export type { WrittenLibrary } from './vectors/export/exportVectorFlow';
export type { VectorImportOptions } from './vectors/importVectorFlow';
export type { Reference } from './vectors/reference';
