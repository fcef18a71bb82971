export { cholesky, choleskyLogDet, solveLower, solveLowerTransposed } from './cholesky';
export { euclideanNorm } from './euclideanNorm';
export { gram } from './gram';
export { deviceInverse, hasLuInverse, invertible, luInverse, toDevice } from './invertible';
export { inverse, luDecompose, slogdet, solve } from './lu';
export { type LuFactors, luProduct } from './luProduct';
export { Matrix, norm1 } from './matrix';
export {
  componentsFromGram,
  leadingEigen,
  orthonormalRows,
  principalComponents,
} from './principalComponents';
export { randomRotation } from './rotation';
export { type SymmetricEigen, spectralMap, symmetricEigen } from './symmetricEigen';
export { inverseGradient, inverseMatrix, logAbsDet, lowerInverse } from './tensorFunctions';
