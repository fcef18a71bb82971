import { ConfigError, complaint } from '../../core/errors';
import type { OptionNames } from '../../core/options';
import type { RandomStream } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { checkLayout, type LatentLevel } from '../layout';

/** Which coordinates form one channel, and how many channels a mask lets through. */
export interface ChannelMaskOptions {
  /** Share of the channels that change, in (0, 1]; 20 / 64 in the few-shot experiments with Glow. Default: 1, no mask. */
  activeShare?: number;
  /** Number of channels, last in memory: coordinate j belongs to channel j mod channels. Default: every coordinate on its own. */
  channels?: number;
  /** Levels with their shapes, in place of `channels`: each level is masked by its own channels. */
  layout?: readonly LatentLevel[];
}

/** Their names. */
export const channelMaskOptions: OptionNames<ChannelMaskOptions> = {
  activeShare: true,
  channels: true,
  layout: true,
};

/** A draw of masks: 1 where the coordinate may change, else 0, [d]. */
export type MaskSource = (random: RandomStream) => Float64Array;

/** Random channel masks as the options say. Throws a ConfigError where they do not fit d coordinates. */
export function channelMasks(where: string, options: ChannelMaskOptions, d: number): MaskSource {
  const { activeShare = 1, channels = d, layout } = options;
  if (!(Number.isFinite(activeShare) && activeShare > 0 && activeShare <= 1)) {
    throw new ConfigError(complaint(where, 'activeShare in (0, 1]', activeShare));
  }
  checkInteger(where, 'channels', channels);
  const levels =
    layout === undefined
      ? [{ level: 0, offset: 0, size: d, shape: [channels] }]
      : checkLayout(where, layout, d);
  const parts = levels.map(({ level, offset, size, shape }) => {
    const count = shape === undefined ? size : shape[shape.length - 1];
    if (size % count !== 0) {
      throw new ConfigError(
        complaint(where, `channels that divide the ${size} values of level ${level}`, count),
      );
    }
    return { offset, size, count, active: Math.max(1, Math.round(activeShare * count)) };
  });
  return (random) => {
    const mask = new Float64Array(d);
    for (const { offset, size, count, active } of parts) {
      const chosen = new Uint8Array(count);
      for (const channel of random.permutation(count).subarray(0, active)) chosen[channel] = 1;
      for (let j = 0; j < size; j++) mask[offset + j] = chosen[j % count];
    }
    return mask;
  };
}
