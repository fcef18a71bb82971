import { ConfigError, complaint } from '../core/errors';

/** Which coordinates of a latent vector belong to one level of a multi-scale flow. */
export interface LatentLevel {
  /** Level number, finest 0 or as the flow counts. */
  level: number;
  /** First coordinate. */
  offset: number;
  /** Number of coordinates. */
  size: number;
  /** Event shape, channels last, where masks by channel are wanted. */
  shape?: readonly number[];
}

/** Throws a ConfigError unless the levels cover 0 .. d - 1 without gap or overlap; returns them by offset. */
export function checkLayout(where: string, layout: readonly LatentLevel[], d: number): LatentLevel[] {
  const levels = [...layout].sort((a, b) => a.offset - b.offset);
  let next = 0;
  for (const { level, offset, size } of levels) {
    if (offset !== next || !(Number.isInteger(size) && size > 0)) {
      throw new ConfigError(
        complaint(where, `a layout that covers every coordinate once`, `level ${level} at ${offset}`),
      );
    }
    next += size;
  }
  if (next !== d) {
    throw new ConfigError(complaint(where, `a layout of ${d} coordinates`, `${next}`));
  }
  return levels;
}
