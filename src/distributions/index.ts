export { DiagonalNormal, type DiagonalNormalOptions } from './diagonalNormal';
export { Distribution, type DistributionDraw, type DistributionSampleOptions } from './distribution';
export { NormalMixture, type NormalMixtureOptions } from './normalMixture';
export { StackedBase, type StackedBaseOptions } from './stackedBase';
export { StandardNormal, type StandardNormalOptions } from './standardNormal';
export { StudentT, type StudentTOptions } from './studentT';
export { UniformBox, type UniformBoxOptions } from './uniformBox';
