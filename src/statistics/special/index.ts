export {
  fCdf,
  fQuantile,
  fSf,
  incompleteBeta,
  studentTCdf,
  studentTQuantile,
  studentTSf,
} from './beta';
export {
  chiSquaredCdf,
  chiSquaredQuantile,
  chiSquaredSf,
  incompleteGamma,
  logGamma,
  stirlingError,
} from './gamma';
export { normalCdf, normalLogCdf, normalPdf, normalQuantile, normalSf } from './normal';
