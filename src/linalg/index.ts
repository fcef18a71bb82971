export { inverse, type LuDecomposition, luDecompose, slogdet, solve } from './lu';
export { Matrix } from './matrix';
export { randomRotation } from './rotation';
export { inverseMatrix, logAbsDet } from './tensorFunctions';
