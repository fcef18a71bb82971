export {
  RationalQuadraticSpline,
  type SplineOptions,
  type SplineTails,
} from './rationalQuadraticSpline';
export { type ElementwiseResult, Transformer } from './transformer';
