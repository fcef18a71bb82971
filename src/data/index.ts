export type { Bytes } from './bytes';
export { readIdx } from './idx';
export { type ImageGridOptions, imageGrid } from './imageGrid';
export { reduceBits } from './levels';
export { gatherRows, type NdArray, type NumericData } from './ndArray';
export { decodeText, readNpy, writeNpy } from './npy';
export { readNpz, writeNpz } from './npz';
export { decodePng, encodePng, type Raster } from './png';
export { shuffleSplit } from './shuffleSplit';
