export type { ChannelMaskOptions } from './channelMask';
export { type TransferDeltaOptions, type TransferredDelta, transferDelta } from './transferDelta';
export { type PairedSamples, type TransferPairsOptions, transferPairs } from './transferPairs';
