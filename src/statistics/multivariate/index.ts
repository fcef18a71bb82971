export type { HenzeZirklerResult } from './henzeZirkler';
export type { MardiaResult } from './mardia';
export {
  type MultivariateNormalityOptions,
  type MultivariateNormalityReport,
  multivariateNormality,
} from './multivariateNormality';
export type { RoystonResult } from './royston';
