/*
 * Numbers that compiled kernels and TypeScript must agree on. Both compilers read this file: assembly/ imports it, too. So it holds plain
 * numbers and nothing else.
 */

/** |log scale| stays below this in the 'exp' map, so no scale leaves [1/7.4, 7.4] and no inverse explodes. */
export const LOG_SCALE_LIMIT = 2;
/** What the 'sigmoid' map adds to a raw output, so that a new network's scale is near 1. */
export const SIGMOID_SHIFT = 2;

/** Slopes of splines are not divided by below this, so that no gradient is infinite. */
export const FLATTEST = 1e-12;

/** Values per segment of a pass over weights: enough to keep a thread busy, few enough to share a large weight. */
export const SEGMENT = 16384;

/** Bytes for the arguments of a task. */
export const ARGUMENT_BYTES = 512;
/** Columns of the widest panel: room is made for it whether or not it is in use, so that cuts are the same. */
export const PANEL_COLUMNS = 16;
/** Bytes of room for the trial of tiles, zeros. */
export const TRIAL_BYTES = 16384;
/** Rows of one pass over the right factor's panel, at most: their taps stay in the cache beside it. */
export const PRODUCT_ROWS = 32;
/** Rows that one chunk of a correlation packs. */
export const PACK_ROWS = 64;
/** Rows that a linear map copies, multiplies and correlates while they are in the first-level cache. */
export const LINEAR_ROWS = 32;
/** Points of a Winograd tile, and its outputs along a side. */
export const POINTS = 36;
export const SIDE = 4;
/** Activations of hidden units, and the sigmoid of gates. */
export const NO_ACTIVATION = 0;
export const RELU = 1;
export const TANH = 2;
export const ELU = 3;
export const SOFTPLUS = 4;
export const SILU = 5;
export const GELU = 6;
export const LEAKY_RELU = 7;
export const SIGMOID = 8;
/** Slope of the leaky relu below 0. */
export const LEAK = 0.01;
/** What the context does to a layer of a perceptron: its own layer's result is added, or multiplied. */
export const CONTEXT_NONE = 0;
export const CONTEXT_SHIFT = 1;
export const CONTEXT_GATE = 2;
/** Rows of a perceptron that go through all layers while they are in the cache. */
export const PERCEPTRON_ROWS = 64;
/** How an affine map makes its scale of a parameter. */
export const AFFINE_SOFTCLIP = 0;
export const AFFINE_EXP = 1;
export const AFFINE_SOFTPLUS = 2;
export const AFFINE_SIGMOID = 3;
