export { Conditioner, type ConditionerBuilder } from './conditioner';
export { Convolution, type ConvolutionOptions, type Padding } from './convolution';
export { ConvolutionNetwork, type ConvolutionNetworkOptions } from './convolutionNetwork';
export { LayersNetwork, type LayersNetworkOptions } from './layersNetwork';
export { MaskedPerceptron, type MaskedPerceptronOptions } from './maskedPerceptron';
export type { Adjacency } from './masks';
export {
  type DenseLayer,
  MultilayerPerceptron,
  type MultilayerPerceptronOptions,
} from './multilayerPerceptron';
