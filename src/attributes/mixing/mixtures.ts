import type { RandomStream } from '../../core/random';

/** Rows of every subclass. */
export type SubclassRows = readonly Int32Array[];

/**
 * Random mixtures of `count` subclasses in equal parts: n rows each, drawn without replacement.
 *
 * Subclasses are dealt from a shuffled deck, so that over the mixtures all take part about equally often.
 */
export function drawMixtures(
  groups: SubclassRows,
  count: number,
  n: number,
  mixtures: number,
  random: RandomStream,
): Int32Array[] {
  let deck: Int32Array = new Int32Array(0);
  return Array.from({ length: mixtures }, () => {
    if (deck.length < count) deck = random.permutation(groups.length);
    const chosen = deck.subarray(0, count);
    deck = deck.subarray(count);
    const mixture = new Int32Array(n);
    let filled = 0;
    chosen.forEach((c, k) => {
      const share = Math.floor(n / count) + (k < n % count ? 1 : 0);
      mixture.set(sampleWithout(groups[c], share, random), filled);
      filled += share;
    });
    return mixture;
  });
}

/** `count` of the rows, without replacement. */
function sampleWithout(rows: Int32Array, count: number, random: RandomStream): Int32Array {
  const pool = rows.slice();
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(pool.length - i);
    const held = pool[i];
    pool[i] = pool[j];
    pool[j] = held;
  }
  return pool.subarray(0, count);
}

/** One two-level bootstrap: subclasses drawn with replacement, then the rows of each. */
export function resampleSubclasses(groups: SubclassRows, random: RandomStream): SubclassRows {
  return groups.map(() => {
    const rows = groups[random.integer(groups.length)];
    return rows.map(() => rows[random.integer(rows.length)]);
  });
}

/** The same rows dealt to subclasses of the same sizes at random. */
export function permuteSubclasses(groups: SubclassRows, random: RandomStream): SubclassRows {
  const all = groups.flatMap((rows) => [...rows]);
  const order = random.permutation(all.length);
  let next = 0;
  return groups.map((rows) => rows.map(() => all[order[next++]]));
}
