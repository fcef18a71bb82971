export { andersonDarling } from './andersonDarling';
export { benjaminiHochberg, benjaminiYekutieli, holm } from './corrections';
export { cramerVonMises } from './cramerVonMises';
export { dagostinoK2 } from './dagostinoK2';
export type { EffectName, EffectSizes } from './effectSizes';
export { jarqueBera } from './jarqueBera';
export { type KolmogorovSmirnovOptions, kolmogorovSmirnov } from './kolmogorovSmirnov';
export { lilliefors } from './lilliefors';
export {
  type EffectSize,
  type NormalityOptions,
  type NormalityReport,
  type NormalityTestName,
  type NormalityTestResult,
  normality,
} from './normality';
export type { QuantilePlot } from './quantilePlot';
export type { StatisticalTest } from './sample';
export { shapiroWilk } from './shapiroWilk';
export { type TwoSampleDistances, twoSampleDistances } from './twoSample';
