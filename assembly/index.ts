export { attach, join, joined, taskArguments } from './parallel';
export { product, productLocalBytes } from './product';
export { correlate, tapsFirst, correlationLocalBytes, correlationPanelBytes } from './correlation';
