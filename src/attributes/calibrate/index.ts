export {
  type CalibrateDirectionOptions,
  type CalibratedDirection,
  type Calibration,
  calibrateDirection,
} from './calibrateDirection';
