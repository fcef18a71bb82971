export { inverse, type LuDecomposition, luDecompose, slogdet, solve } from './lu';
export { Matrix, norm1 } from './matrix';
export { randomRotation } from './rotation';
export { inverseMatrix, logAbsDet } from './tensorFunctions';
