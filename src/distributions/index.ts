export { DiagonalNormal, type DiagonalNormalOptions } from './diagonalNormal';
export { Distribution, type DistributionSampleOptions } from './distribution';
export { StandardNormal, type StandardNormalOptions } from './standardNormal';
