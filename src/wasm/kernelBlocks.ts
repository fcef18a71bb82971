// Made by `npm run build:kernels` from assembly/; do not edit.

/** A field; flags may be booleans. */
type Field = number | boolean;

/*
 * The fields of the blocks that kernels read, four bytes each; `base` are those of the class that a block extends.
 */
interface AffineForm {
  scale: Field;
  bound: Field;
  one: Field;
}

interface AffineEvents {
  base: AffineForm;
  inverse: Field;
  examples: Field;
  positions: Field;
  kept: Field;
  changed: Field;
  chunkExamples: Field;
  input: Field;
  parameters: Field;
  output: Field;
  logDet: Field;
  outputGradient: Field;
  logDetGradient: Field;
  parametersGradient: Field;
}

interface Conversion {
  from: Field;
  to: Field;
  count: Field;
}

interface ChannelPass {
  input: Field;
  rows: Field;
  columns: Field;
  blockRows: Field;
  scale: Field;
  shift: Field;
  output: Field;
  weights: Field;
  sums: Field;
}

interface ColumnCopy {
  rows: Field;
  blockRows: Field;
  count: Field;
  from: Field;
  fromColumns: Field;
  to: Field;
  toColumns: Field;
}

interface ColumnOrder {
  rows: Field;
  blockRows: Field;
  columns: Field;
  from: Field;
  to: Field;
  places: Field;
}

interface Correlation {
  base: Patches;
  rows: Field;
  plain: Field;
  plainColumns: Field;
  patchesLeft: Field;
  output: Field;
  packRows: Field;
  leftPanels: Field;
  rightPanels: Field;
  local: Field;
  localBytes: Field;
  firstRow: Field;
}

interface CouplingShape {
  batch: Field;
  positions: Field;
  kept: Field;
  changed: Field;
  sigmoid: Field;
  inverse: Field;
}

interface Coupling {
  base: CouplingShape;
  input: Field;
  parameters: Field;
  output: Field;
  logDet: Field;
  outputGradient: Field;
  logDetGradient: Field;
  inputGradient: Field;
  parametersGradient: Field;
}

interface DepthwiseShape {
  batch: Field;
  height: Field;
  width: Field;
  channels: Field;
  outHeight: Field;
  outWidth: Field;
  multiplier: Field;
  tapsHigh: Field;
  tapsWide: Field;
  strideY: Field;
  strideX: Field;
  top: Field;
  left: Field;
  dilationY: Field;
  dilationX: Field;
}

interface Depthwise {
  base: DepthwiseShape;
  dy: Field;
  other: Field;
  output: Field;
}

interface Patches {
  source: Field;
  channels: Field;
  sourceHeight: Field;
  sourceWidth: Field;
  height: Field;
  width: Field;
  tapsHigh: Field;
  tapsWide: Field;
  multiplyY: Field;
  multiplyX: Field;
  baseY: Field;
  baseX: Field;
  stepY: Field;
  stepX: Field;
  divideY: Field;
  divideX: Field;
  zeros: Field;
  unfolded: Field;
}

interface PerceptronLayer {
  inputs: Field;
  outputs: Field;
  kernel: Field;
  mask: Field;
  bias: Field;
  packed: Field;
  ranges: Field;
  source: Field;
  product: Field;
  result: Field;
  activated: Field;
  activation: Field;
  dropout: Field;
  skip: Field;
  contextUse: Field;
  context: Field;
  contextRead: Field;
  contextActivation: Field;
  turned: Field;
  turnedRanges: Field;
  gradient: Field;
  sourceGradient: Field;
  sourceAdds: Field;
  skipGradient: Field;
  skipAdds: Field;
  contextGradient: Field;
  sourceActivation: Field;
  sourceRead: Field;
  sourceDropout: Field;
  part: Field;
  dKernel: Field;
  dBias: Field;
}

interface PerceptronSource {
  at: Field;
  rowFloats: Field;
  columns: Field;
  gradient: Field;
  adds: Field;
}

interface Perceptron {
  rows: Field;
  chunkRows: Field;
  layers: Field;
  layerCount: Field;
  sources: Field;
  sourceCount: Field;
  records: Field;
  recordBytes: Field;
  kept: Field;
  share: Field;
  output: Field;
  local: Field;
  localBytes: Field;
  gradientBytes: Field;
  lastResult: Field;
  inputGradient: Field;
  added: Field;
  inputColumns: Field;
  clearInputs: Field;
  outputGradient: Field;
  parts: Field;
  partBytes: Field;
}

interface Product {
  base: Patches;
  rows: Field;
  blockRows: Field;
  blockColumns: Field;
  columns: Field;
  right: Field;
  rightTap: Field;
  rightDepth: Field;
  rightColumn: Field;
  packed: Field;
  output: Field;
  local: Field;
  localBytes: Field;
  scale: Field;
  shift: Field;
  shiftRows: Field;
  relu: Field;
  mask: Field;
  sums: Field;
}

interface Reduction {
  input: Field;
  outer: Field;
  length: Field;
  inner: Field;
  outerBlock: Field;
  block: Field;
  parts: Field;
  output: Field;
  factor: Field;
}

interface LinearMap {
  x: Field;
  rows: Field;
  channels: Field;
  width: Field;
  chunkRows: Field;
  offset: Field;
  logScale: Field;
  matrix: Field;
  inverse: Field;
  output: Field;
}

interface ScaledLinear {
  base: LinearMap;
  lines: Field;
  local: Field;
  dy: Field;
  parts: Field;
  dOffset: Field;
  dLogScale: Field;
  dMatrix: Field;
}

interface SplineEvents {
  base: SplineForm;
  inverse: Field;
  examples: Field;
  positions: Field;
  kept: Field;
  changed: Field;
  chunkExamples: Field;
  rooms: Field;
  input: Field;
  parameters: Field;
  output: Field;
  logDet: Field;
  outputGradient: Field;
  logDetGradient: Field;
  parametersGradient: Field;
}

interface SplineForm {
  bins: Field;
  slopes: Field;
  firstSlope: Field;
  circular: Field;
  beyond: Field;
  bound: Field;
  minimum: Field;
  one: Field;
}

interface SweepLayer {
  kernel: Field;
  offset: Field;
  gate: Field;
  units: Field;
  offsetPerRow: Field;
  activated: Field;
  skip: Field;
  order: Field;
  begins: Field;
  known: Field;
  panels: Field;
  panelsAt: Field;
  readAt: Field;
  resultsAt: Field;
  offsetsAt: Field;
  gatesAt: Field;
}

interface Sweep {
  affine: Field;
  form: Field;
  rows: Field;
  values: Field;
  parameters: Field;
  activation: Field;
  levels: Field;
  layers: Field;
  records: Field;
  order: Field;
  begins: Field;
  chunkRows: Field;
  rooms: Field;
  roomBytes: Field;
  givenAt: Field;
  foundAt: Field;
  knownAt: Field;
  splineAt: Field;
  input: Field;
  output: Field;
  logDet: Field;
}

interface Segment {
  count: Field;
  weight: Field;
  first: Field;
  second: Field;
  gradient: Field;
}

interface Rates {
  beta1: Field;
  beta2: Field;
  rest1: Field;
  rest2: Field;
  correction1: Field;
  correction2: Field;
  learningRate: Field;
  epsilon: Field;
  scale: Field;
}

interface Adaptation {
  base: Rates;
  segments: Field;
  count: Field;
  adam: Field;
  seed: Field;
}

interface CompactSegment {
  count: Field;
  weight: Field;
  moments: Field;
  gradient: Field;
  gradientBytes: Field;
}

interface Values {
  count: Field;
  from: Field;
  bytes: Field;
}

interface SquareSum {
  segments: Field;
  count: Field;
  parts: Field;
  output: Field;
}

interface Winograd {
  base: Product;
  lines: Field;
}

interface FilterGradient {
  batch: Field;
  height: Field;
  width: Field;
  input: Field;
  inputs: Field;
  gradient: Field;
  outputs: Field;
  output: Field;
  zeros: Field;
  narrow: Field;
  local: Field;
  localBytes: Field;
}

/** How many fields each block has, and what writes them at a place in both views of the heap. */
export const blocks = {
  AffineForm: {
    words: 3,
    write(f: AffineForm, words: Int32Array, floats: Float32Array, at: number): void {
      words[at] = +f.scale;
      floats[at + 1] = +f.bound;
      floats[at + 2] = +f.one;
    },
  },
  AffineEvents: {
    words: 16,
    write(f: AffineEvents, words: Int32Array, floats: Float32Array, at: number): void {
      words[at] = +f.base.scale;
      floats[at + 1] = +f.base.bound;
      floats[at + 2] = +f.base.one;
      words[at + 3] = +f.inverse;
      words[at + 4] = +f.examples;
      words[at + 5] = +f.positions;
      words[at + 6] = +f.kept;
      words[at + 7] = +f.changed;
      words[at + 8] = +f.chunkExamples;
      words[at + 9] = +f.input;
      words[at + 10] = +f.parameters;
      words[at + 11] = +f.output;
      words[at + 12] = +f.logDet;
      words[at + 13] = +f.outputGradient;
      words[at + 14] = +f.logDetGradient;
      words[at + 15] = +f.parametersGradient;
    },
  },
  Conversion: {
    words: 3,
    write(f: Conversion, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.from;
      words[at + 1] = +f.to;
      words[at + 2] = +f.count;
    },
  },
  ChannelPass: {
    words: 9,
    write(f: ChannelPass, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.input;
      words[at + 1] = +f.rows;
      words[at + 2] = +f.columns;
      words[at + 3] = +f.blockRows;
      words[at + 4] = +f.scale;
      words[at + 5] = +f.shift;
      words[at + 6] = +f.output;
      words[at + 7] = +f.weights;
      words[at + 8] = +f.sums;
    },
  },
  ColumnCopy: {
    words: 7,
    write(f: ColumnCopy, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.rows;
      words[at + 1] = +f.blockRows;
      words[at + 2] = +f.count;
      words[at + 3] = +f.from;
      words[at + 4] = +f.fromColumns;
      words[at + 5] = +f.to;
      words[at + 6] = +f.toColumns;
    },
  },
  ColumnOrder: {
    words: 6,
    write(f: ColumnOrder, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.rows;
      words[at + 1] = +f.blockRows;
      words[at + 2] = +f.columns;
      words[at + 3] = +f.from;
      words[at + 4] = +f.to;
      words[at + 5] = +f.places;
    },
  },
  Correlation: {
    words: 29,
    write(f: Correlation, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.base.source;
      words[at + 1] = +f.base.channels;
      words[at + 2] = +f.base.sourceHeight;
      words[at + 3] = +f.base.sourceWidth;
      words[at + 4] = +f.base.height;
      words[at + 5] = +f.base.width;
      words[at + 6] = +f.base.tapsHigh;
      words[at + 7] = +f.base.tapsWide;
      words[at + 8] = +f.base.multiplyY;
      words[at + 9] = +f.base.multiplyX;
      words[at + 10] = +f.base.baseY;
      words[at + 11] = +f.base.baseX;
      words[at + 12] = +f.base.stepY;
      words[at + 13] = +f.base.stepX;
      words[at + 14] = +f.base.divideY;
      words[at + 15] = +f.base.divideX;
      words[at + 16] = +f.base.zeros;
      words[at + 17] = +f.base.unfolded;
      words[at + 18] = +f.rows;
      words[at + 19] = +f.plain;
      words[at + 20] = +f.plainColumns;
      words[at + 21] = +f.patchesLeft;
      words[at + 22] = +f.output;
      words[at + 23] = +f.packRows;
      words[at + 24] = +f.leftPanels;
      words[at + 25] = +f.rightPanels;
      words[at + 26] = +f.local;
      words[at + 27] = +f.localBytes;
      words[at + 28] = +f.firstRow;
    },
  },
  CouplingShape: {
    words: 6,
    write(f: CouplingShape, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.batch;
      words[at + 1] = +f.positions;
      words[at + 2] = +f.kept;
      words[at + 3] = +f.changed;
      words[at + 4] = +f.sigmoid;
      words[at + 5] = +f.inverse;
    },
  },
  Coupling: {
    words: 14,
    write(f: Coupling, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.base.batch;
      words[at + 1] = +f.base.positions;
      words[at + 2] = +f.base.kept;
      words[at + 3] = +f.base.changed;
      words[at + 4] = +f.base.sigmoid;
      words[at + 5] = +f.base.inverse;
      words[at + 6] = +f.input;
      words[at + 7] = +f.parameters;
      words[at + 8] = +f.output;
      words[at + 9] = +f.logDet;
      words[at + 10] = +f.outputGradient;
      words[at + 11] = +f.logDetGradient;
      words[at + 12] = +f.inputGradient;
      words[at + 13] = +f.parametersGradient;
    },
  },
  DepthwiseShape: {
    words: 15,
    write(f: DepthwiseShape, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.batch;
      words[at + 1] = +f.height;
      words[at + 2] = +f.width;
      words[at + 3] = +f.channels;
      words[at + 4] = +f.outHeight;
      words[at + 5] = +f.outWidth;
      words[at + 6] = +f.multiplier;
      words[at + 7] = +f.tapsHigh;
      words[at + 8] = +f.tapsWide;
      words[at + 9] = +f.strideY;
      words[at + 10] = +f.strideX;
      words[at + 11] = +f.top;
      words[at + 12] = +f.left;
      words[at + 13] = +f.dilationY;
      words[at + 14] = +f.dilationX;
    },
  },
  Depthwise: {
    words: 18,
    write(f: Depthwise, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.base.batch;
      words[at + 1] = +f.base.height;
      words[at + 2] = +f.base.width;
      words[at + 3] = +f.base.channels;
      words[at + 4] = +f.base.outHeight;
      words[at + 5] = +f.base.outWidth;
      words[at + 6] = +f.base.multiplier;
      words[at + 7] = +f.base.tapsHigh;
      words[at + 8] = +f.base.tapsWide;
      words[at + 9] = +f.base.strideY;
      words[at + 10] = +f.base.strideX;
      words[at + 11] = +f.base.top;
      words[at + 12] = +f.base.left;
      words[at + 13] = +f.base.dilationY;
      words[at + 14] = +f.base.dilationX;
      words[at + 15] = +f.dy;
      words[at + 16] = +f.other;
      words[at + 17] = +f.output;
    },
  },
  Patches: {
    words: 18,
    write(f: Patches, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.source;
      words[at + 1] = +f.channels;
      words[at + 2] = +f.sourceHeight;
      words[at + 3] = +f.sourceWidth;
      words[at + 4] = +f.height;
      words[at + 5] = +f.width;
      words[at + 6] = +f.tapsHigh;
      words[at + 7] = +f.tapsWide;
      words[at + 8] = +f.multiplyY;
      words[at + 9] = +f.multiplyX;
      words[at + 10] = +f.baseY;
      words[at + 11] = +f.baseX;
      words[at + 12] = +f.stepY;
      words[at + 13] = +f.stepX;
      words[at + 14] = +f.divideY;
      words[at + 15] = +f.divideX;
      words[at + 16] = +f.zeros;
      words[at + 17] = +f.unfolded;
    },
  },
  PerceptronLayer: {
    words: 32,
    write(f: PerceptronLayer, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.inputs;
      words[at + 1] = +f.outputs;
      words[at + 2] = +f.kernel;
      words[at + 3] = +f.mask;
      words[at + 4] = +f.bias;
      words[at + 5] = +f.packed;
      words[at + 6] = +f.ranges;
      words[at + 7] = +f.source;
      words[at + 8] = +f.product;
      words[at + 9] = +f.result;
      words[at + 10] = +f.activated;
      words[at + 11] = +f.activation;
      words[at + 12] = +f.dropout;
      words[at + 13] = +f.skip;
      words[at + 14] = +f.contextUse;
      words[at + 15] = +f.context;
      words[at + 16] = +f.contextRead;
      words[at + 17] = +f.contextActivation;
      words[at + 18] = +f.turned;
      words[at + 19] = +f.turnedRanges;
      words[at + 20] = +f.gradient;
      words[at + 21] = +f.sourceGradient;
      words[at + 22] = +f.sourceAdds;
      words[at + 23] = +f.skipGradient;
      words[at + 24] = +f.skipAdds;
      words[at + 25] = +f.contextGradient;
      words[at + 26] = +f.sourceActivation;
      words[at + 27] = +f.sourceRead;
      words[at + 28] = +f.sourceDropout;
      words[at + 29] = +f.part;
      words[at + 30] = +f.dKernel;
      words[at + 31] = +f.dBias;
    },
  },
  PerceptronSource: {
    words: 5,
    write(f: PerceptronSource, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.at;
      words[at + 1] = +f.rowFloats;
      words[at + 2] = +f.columns;
      words[at + 3] = +f.gradient;
      words[at + 4] = +f.adds;
    },
  },
  Perceptron: {
    words: 22,
    write(f: Perceptron, words: Int32Array, floats: Float32Array, at: number): void {
      words[at] = +f.rows;
      words[at + 1] = +f.chunkRows;
      words[at + 2] = +f.layers;
      words[at + 3] = +f.layerCount;
      words[at + 4] = +f.sources;
      words[at + 5] = +f.sourceCount;
      words[at + 6] = +f.records;
      words[at + 7] = +f.recordBytes;
      words[at + 8] = +f.kept;
      floats[at + 9] = +f.share;
      words[at + 10] = +f.output;
      words[at + 11] = +f.local;
      words[at + 12] = +f.localBytes;
      words[at + 13] = +f.gradientBytes;
      words[at + 14] = +f.lastResult;
      words[at + 15] = +f.inputGradient;
      words[at + 16] = +f.added;
      words[at + 17] = +f.inputColumns;
      words[at + 18] = +f.clearInputs;
      words[at + 19] = +f.outputGradient;
      words[at + 20] = +f.parts;
      words[at + 21] = +f.partBytes;
    },
  },
  Product: {
    words: 36,
    write(f: Product, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.base.source;
      words[at + 1] = +f.base.channels;
      words[at + 2] = +f.base.sourceHeight;
      words[at + 3] = +f.base.sourceWidth;
      words[at + 4] = +f.base.height;
      words[at + 5] = +f.base.width;
      words[at + 6] = +f.base.tapsHigh;
      words[at + 7] = +f.base.tapsWide;
      words[at + 8] = +f.base.multiplyY;
      words[at + 9] = +f.base.multiplyX;
      words[at + 10] = +f.base.baseY;
      words[at + 11] = +f.base.baseX;
      words[at + 12] = +f.base.stepY;
      words[at + 13] = +f.base.stepX;
      words[at + 14] = +f.base.divideY;
      words[at + 15] = +f.base.divideX;
      words[at + 16] = +f.base.zeros;
      words[at + 17] = +f.base.unfolded;
      words[at + 18] = +f.rows;
      words[at + 19] = +f.blockRows;
      words[at + 20] = +f.blockColumns;
      words[at + 21] = +f.columns;
      words[at + 22] = +f.right;
      words[at + 23] = +f.rightTap;
      words[at + 24] = +f.rightDepth;
      words[at + 25] = +f.rightColumn;
      words[at + 26] = +f.packed;
      words[at + 27] = +f.output;
      words[at + 28] = +f.local;
      words[at + 29] = +f.localBytes;
      words[at + 30] = +f.scale;
      words[at + 31] = +f.shift;
      words[at + 32] = +f.shiftRows;
      words[at + 33] = +f.relu;
      words[at + 34] = +f.mask;
      words[at + 35] = +f.sums;
    },
  },
  Reduction: {
    words: 9,
    write(f: Reduction, words: Int32Array, floats: Float32Array, at: number): void {
      words[at] = +f.input;
      words[at + 1] = +f.outer;
      words[at + 2] = +f.length;
      words[at + 3] = +f.inner;
      words[at + 4] = +f.outerBlock;
      words[at + 5] = +f.block;
      words[at + 6] = +f.parts;
      words[at + 7] = +f.output;
      floats[at + 8] = +f.factor;
    },
  },
  LinearMap: {
    words: 10,
    write(f: LinearMap, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.x;
      words[at + 1] = +f.rows;
      words[at + 2] = +f.channels;
      words[at + 3] = +f.width;
      words[at + 4] = +f.chunkRows;
      words[at + 5] = +f.offset;
      words[at + 6] = +f.logScale;
      words[at + 7] = +f.matrix;
      words[at + 8] = +f.inverse;
      words[at + 9] = +f.output;
    },
  },
  ScaledLinear: {
    words: 17,
    write(f: ScaledLinear, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.base.x;
      words[at + 1] = +f.base.rows;
      words[at + 2] = +f.base.channels;
      words[at + 3] = +f.base.width;
      words[at + 4] = +f.base.chunkRows;
      words[at + 5] = +f.base.offset;
      words[at + 6] = +f.base.logScale;
      words[at + 7] = +f.base.matrix;
      words[at + 8] = +f.base.inverse;
      words[at + 9] = +f.base.output;
      words[at + 10] = +f.lines;
      words[at + 11] = +f.local;
      words[at + 12] = +f.dy;
      words[at + 13] = +f.parts;
      words[at + 14] = +f.dOffset;
      words[at + 15] = +f.dLogScale;
      words[at + 16] = +f.dMatrix;
    },
  },
  SplineEvents: {
    words: 22,
    write(f: SplineEvents, words: Int32Array, floats: Float32Array, at: number): void {
      words[at] = +f.base.bins;
      words[at + 1] = +f.base.slopes;
      words[at + 2] = +f.base.firstSlope;
      words[at + 3] = +f.base.circular;
      floats[at + 4] = +f.base.beyond;
      floats[at + 5] = +f.base.bound;
      floats[at + 6] = +f.base.minimum;
      floats[at + 7] = +f.base.one;
      words[at + 8] = +f.inverse;
      words[at + 9] = +f.examples;
      words[at + 10] = +f.positions;
      words[at + 11] = +f.kept;
      words[at + 12] = +f.changed;
      words[at + 13] = +f.chunkExamples;
      words[at + 14] = +f.rooms;
      words[at + 15] = +f.input;
      words[at + 16] = +f.parameters;
      words[at + 17] = +f.output;
      words[at + 18] = +f.logDet;
      words[at + 19] = +f.outputGradient;
      words[at + 20] = +f.logDetGradient;
      words[at + 21] = +f.parametersGradient;
    },
  },
  SplineForm: {
    words: 8,
    write(f: SplineForm, words: Int32Array, floats: Float32Array, at: number): void {
      words[at] = +f.bins;
      words[at + 1] = +f.slopes;
      words[at + 2] = +f.firstSlope;
      words[at + 3] = +f.circular;
      floats[at + 4] = +f.beyond;
      floats[at + 5] = +f.bound;
      floats[at + 6] = +f.minimum;
      floats[at + 7] = +f.one;
    },
  },
  SweepLayer: {
    words: 16,
    write(f: SweepLayer, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.kernel;
      words[at + 1] = +f.offset;
      words[at + 2] = +f.gate;
      words[at + 3] = +f.units;
      words[at + 4] = +f.offsetPerRow;
      words[at + 5] = +f.activated;
      words[at + 6] = +f.skip;
      words[at + 7] = +f.order;
      words[at + 8] = +f.begins;
      words[at + 9] = +f.known;
      words[at + 10] = +f.panels;
      words[at + 11] = +f.panelsAt;
      words[at + 12] = +f.readAt;
      words[at + 13] = +f.resultsAt;
      words[at + 14] = +f.offsetsAt;
      words[at + 15] = +f.gatesAt;
    },
  },
  Sweep: {
    words: 21,
    write(f: Sweep, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.affine;
      words[at + 1] = +f.form;
      words[at + 2] = +f.rows;
      words[at + 3] = +f.values;
      words[at + 4] = +f.parameters;
      words[at + 5] = +f.activation;
      words[at + 6] = +f.levels;
      words[at + 7] = +f.layers;
      words[at + 8] = +f.records;
      words[at + 9] = +f.order;
      words[at + 10] = +f.begins;
      words[at + 11] = +f.chunkRows;
      words[at + 12] = +f.rooms;
      words[at + 13] = +f.roomBytes;
      words[at + 14] = +f.givenAt;
      words[at + 15] = +f.foundAt;
      words[at + 16] = +f.knownAt;
      words[at + 17] = +f.splineAt;
      words[at + 18] = +f.input;
      words[at + 19] = +f.output;
      words[at + 20] = +f.logDet;
    },
  },
  Segment: {
    words: 5,
    write(f: Segment, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.count;
      words[at + 1] = +f.weight;
      words[at + 2] = +f.first;
      words[at + 3] = +f.second;
      words[at + 4] = +f.gradient;
    },
  },
  Rates: {
    words: 9,
    write(f: Rates, _words: Int32Array, floats: Float32Array, at: number): void {
      floats[at] = +f.beta1;
      floats[at + 1] = +f.beta2;
      floats[at + 2] = +f.rest1;
      floats[at + 3] = +f.rest2;
      floats[at + 4] = +f.correction1;
      floats[at + 5] = +f.correction2;
      floats[at + 6] = +f.learningRate;
      floats[at + 7] = +f.epsilon;
      floats[at + 8] = +f.scale;
    },
  },
  Adaptation: {
    words: 13,
    write(f: Adaptation, words: Int32Array, floats: Float32Array, at: number): void {
      floats[at] = +f.base.beta1;
      floats[at + 1] = +f.base.beta2;
      floats[at + 2] = +f.base.rest1;
      floats[at + 3] = +f.base.rest2;
      floats[at + 4] = +f.base.correction1;
      floats[at + 5] = +f.base.correction2;
      floats[at + 6] = +f.base.learningRate;
      floats[at + 7] = +f.base.epsilon;
      floats[at + 8] = +f.base.scale;
      words[at + 9] = +f.segments;
      words[at + 10] = +f.count;
      words[at + 11] = +f.adam;
      words[at + 12] = +f.seed;
    },
  },
  CompactSegment: {
    words: 5,
    write(f: CompactSegment, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.count;
      words[at + 1] = +f.weight;
      words[at + 2] = +f.moments;
      words[at + 3] = +f.gradient;
      words[at + 4] = +f.gradientBytes;
    },
  },
  Values: {
    words: 3,
    write(f: Values, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.count;
      words[at + 1] = +f.from;
      words[at + 2] = +f.bytes;
    },
  },
  SquareSum: {
    words: 4,
    write(f: SquareSum, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.segments;
      words[at + 1] = +f.count;
      words[at + 2] = +f.parts;
      words[at + 3] = +f.output;
    },
  },
  Winograd: {
    words: 37,
    write(f: Winograd, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.base.base.source;
      words[at + 1] = +f.base.base.channels;
      words[at + 2] = +f.base.base.sourceHeight;
      words[at + 3] = +f.base.base.sourceWidth;
      words[at + 4] = +f.base.base.height;
      words[at + 5] = +f.base.base.width;
      words[at + 6] = +f.base.base.tapsHigh;
      words[at + 7] = +f.base.base.tapsWide;
      words[at + 8] = +f.base.base.multiplyY;
      words[at + 9] = +f.base.base.multiplyX;
      words[at + 10] = +f.base.base.baseY;
      words[at + 11] = +f.base.base.baseX;
      words[at + 12] = +f.base.base.stepY;
      words[at + 13] = +f.base.base.stepX;
      words[at + 14] = +f.base.base.divideY;
      words[at + 15] = +f.base.base.divideX;
      words[at + 16] = +f.base.base.zeros;
      words[at + 17] = +f.base.base.unfolded;
      words[at + 18] = +f.base.rows;
      words[at + 19] = +f.base.blockRows;
      words[at + 20] = +f.base.blockColumns;
      words[at + 21] = +f.base.columns;
      words[at + 22] = +f.base.right;
      words[at + 23] = +f.base.rightTap;
      words[at + 24] = +f.base.rightDepth;
      words[at + 25] = +f.base.rightColumn;
      words[at + 26] = +f.base.packed;
      words[at + 27] = +f.base.output;
      words[at + 28] = +f.base.local;
      words[at + 29] = +f.base.localBytes;
      words[at + 30] = +f.base.scale;
      words[at + 31] = +f.base.shift;
      words[at + 32] = +f.base.shiftRows;
      words[at + 33] = +f.base.relu;
      words[at + 34] = +f.base.mask;
      words[at + 35] = +f.base.sums;
      words[at + 36] = +f.lines;
    },
  },
  FilterGradient: {
    words: 12,
    write(f: FilterGradient, words: Int32Array, _floats: Float32Array, at: number): void {
      words[at] = +f.batch;
      words[at + 1] = +f.height;
      words[at + 2] = +f.width;
      words[at + 3] = +f.input;
      words[at + 4] = +f.inputs;
      words[at + 5] = +f.gradient;
      words[at + 6] = +f.outputs;
      words[at + 7] = +f.output;
      words[at + 8] = +f.zeros;
      words[at + 9] = +f.narrow;
      words[at + 10] = +f.local;
      words[at + 11] = +f.localBytes;
    },
  },
} as const;

/** Kernels that read their arguments from a block, and which. */
export const entries = {
  adapt: 'Adaptation',
  adaptCompact: 'Adaptation',
  affine: 'AffineEvents',
  affineGradient: 'AffineEvents',
  copyColumns: 'ColumnCopy',
  correlate: 'Correlation',
  couple: 'Coupling',
  coupleGradient: 'Coupling',
  depthwiseFilter: 'Depthwise',
  depthwiseInput: 'Depthwise',
  fromBfloat16: 'Conversion',
  globalNorm: 'SquareSum',
  orderColumns: 'ColumnOrder',
  perceptron: 'Perceptron',
  perceptronGradient: 'Perceptron',
  product: 'Product',
  reduce: 'Reduction',
  scaleAndSum: 'ChannelPass',
  scaleChannels: 'ChannelPass',
  scaledLinear: 'ScaledLinear',
  scaledLinearGradient: 'ScaledLinear',
  spline: 'SplineEvents',
  splineGradient: 'SplineEvents',
  sweep: 'Sweep',
  toBfloat16: 'Conversion',
  winograd: 'Winograd',
  winogradFilter: 'FilterGradient',
} as const;
