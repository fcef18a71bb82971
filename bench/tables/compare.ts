import type { Kind } from './kinds';
import { type Library, meanOf, type Peer, peersOf } from './peers';
import type { TableName } from './splits';

/** Our flow's log-densities beside those of a library, row by row. */
export interface Difference {
  library: Library;
  /** Mean over rows of ours, averaged over seeds, less the peer's; in nats. */
  mean: number;
  standardError: number;
}

/** What a flow of ours reaches on a table; plain JSON. */
export interface Verdict {
  table: TableName;
  kind: Kind;
  /** Mean test log-density of each seed, in nats. */
  means: number[];
  /** Standard error of the mean over test rows. */
  standardError: number;
  /** Against the best library whose rows are kept. */
  paired?: Difference;
  /** The best of all libraries by its mean. */
  best?: Pick<Peer, 'library' | 'mean'>;
}

/** @param points log-densities of the test rows, a list for each seed */
export function judge(table: TableName, kind: Kind, points: Float32Array[]): Verdict {
  const ours = Float64Array.from(points[0], (_, i) => meanOf(points.map((row) => row[i])));
  const peers = peersOf(table, kind);
  const rows = peers.find((peer) => peer.points !== undefined);
  return {
    table,
    kind,
    means: points.map(meanOf),
    standardError: standardErrorOf(ours),
    paired: rows && against(ours, rows),
    best: peers[0] && { library: peers[0].library, mean: peers[0].mean },
  };
}

function against(ours: Float64Array, peer: Peer): Difference {
  const differences = ours.map((value, i) => value - (peer.points?.[i] ?? Number.NaN));
  return { library: peer.library, mean: meanOf(differences), standardError: standardErrorOf(differences) };
}

function standardErrorOf(values: Float64Array): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
}

/** Whether the mean difference lies within two standard errors below, and whether ours is better than every library by the mean of seeds. */
export function verdictOf({ means, paired, best }: Verdict): { notWorse?: boolean; better?: boolean } {
  return {
    notWorse: paired && paired.mean >= -2 * paired.standardError,
    better: best && meanOf(means) > best.mean,
  };
}
