export { attach, join, joined, taskArguments } from './parallel';
export { product, productLocalBytes } from './product';
export { correlate, tapsFirst, correlationLocalBytes, correlationPanelBytes } from './correlation';
export { depthwiseFilter, depthwiseInput } from './depthwise';
export { reduce, segmentSum } from './reduction';
export { addParts, exponentials, scaleAndSum, scaleChannels, scaleLines } from './channels';
export { couple, coupleGradient } from './coupling';
export { adapt, globalNorm } from './weights';
export { winograd, winogradLocalBytes } from './winograd';
