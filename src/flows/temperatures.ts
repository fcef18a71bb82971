import { ConfigError, complaint } from '../core/errors';
import type { LatentSlice } from '../layers';

/**
 * One temperature, or one per value made of one per level.
 *
 * @throws ConfigError for a wrong number of them, and for what is no number >= 0
 */
export function readTemperatures(
  where: string,
  given: number | readonly number[],
  layout: readonly LatentSlice[],
): number | Float32Array {
  const list = typeof given === 'number' ? [given] : Array.from(given ?? []);
  if (list.length !== layout.length && typeof given !== 'number') {
    const expected = `1 or ${layout.length} temperatures, one per level`;
    throw new ConfigError(complaint(where, expected, `${list.length}`));
  }
  const bad = list.find((temperature) => !(Number.isFinite(temperature) && temperature >= 0));
  if (bad !== undefined) throw new ConfigError(complaint(where, 'temperatures >= 0', bad));
  if (typeof given === 'number') return given;
  const perValue = new Float32Array(layout.reduce((sum, slice) => sum + slice.size, 0));
  for (const { level, offset, size } of layout) perValue.fill(list[level], offset, offset + size);
  return perValue;
}

/** Whether temperatures change nothing. */
export function isOne(temperature: number | Float32Array): boolean {
  return typeof temperature === 'number' ? temperature === 1 : temperature.every((factor) => factor === 1);
}
