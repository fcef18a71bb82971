export type { HenzeZirklerResult } from './henzeZirkler';
export type { MardiaAsymptotics, MardiaResult } from './mardia';
export {
  type MultivariateNormalityOptions,
  type MultivariateNormalityReport,
  multivariateNormality,
} from './multivariateNormality';
export type { RoystonResult } from './royston';
