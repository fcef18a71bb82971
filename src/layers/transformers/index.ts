export {
  RationalQuadraticSpline,
  type SplineOptions,
  type SplineTails,
} from './rationalQuadraticSpline';
export { type ElementwiseResult, type SerializedTransformer, Transformer } from './transformer';
