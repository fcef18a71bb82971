/** How an attribute's values become a contrast between samples. */
export type DeltaMode = 'binary' | 'slope' | 'tercile';

/**
 * What the latents are regressed on: 1 and 0 for the two groups, or the attribute itself; NaN for samples that are left out.
 *
 * Thirds are taken within every stratum. Equal values stay together, so thirds of tied values may be smaller; where upper and lower third
 * would overlap, the stratum is left out.
 */
export function contrastOf(
  mode: DeltaMode,
  values: Float64Array,
  strata: readonly Int32Array[],
): Float64Array {
  if (mode === 'slope') return values;
  if (mode === 'binary') return values.map((value) => (value > 0 ? 1 : 0));
  const contrast = new Float64Array(values.length).fill(Number.NaN);
  for (const rows of strata) {
    const sorted = Float64Array.from(rows, (i) => values[i]).sort();
    const third = Math.floor(sorted.length / 3);
    if (third === 0) continue;
    const low = sorted[third - 1];
    const high = sorted[sorted.length - third];
    if (low >= high) continue;
    for (const i of rows) {
      if (values[i] <= low) contrast[i] = 0;
      else if (values[i] >= high) contrast[i] = 1;
    }
  }
  return contrast;
}
