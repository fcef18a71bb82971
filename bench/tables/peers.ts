import type { Kind } from './kinds';
import { readData, type TableName } from './splits';

/** Libraries in PyTorch whose flows of the same kind were trained in the same budget. */
export const LIBRARIES = ['nflows', 'zuko', 'normflows'] as const;
export type Library = (typeof LIBRARIES)[number];

/** A library's flow on a table. */
export interface Peer {
  library: Library;
  /** Mean test log-density over its seeds, in nats. */
  mean: number;
  /** Log-densities of the test rows by its seed 1, where they are kept. */
  points?: Float32Array;
}

/** Mean test log-densities of seeds 0 and 1, measured in November 2026 with torch 1.13; those of seed 1 that are missing are in peers.npz. */
const MEANS: Partial<Record<TableName, Partial<Record<Kind, Partial<Record<Library, number[]>>>>>> = {
  wine_red: {
    splineCoupling: { nflows: [-9.52, -9.43], zuko: [-9.93], normflows: [-9.21] },
    splineAutoregressive: { nflows: [-9.64, -9.7], zuko: [-9.68, -9.66], normflows: [-9.16] },
    affineAutoregressive: { nflows: [-9.77, -10.03], zuko: [-9.87, -9.68] },
    affineCoupling: { nflows: [-9.28, -9.34], zuko: [-9.74], normflows: [-9.79] },
  },
  wine_white: {
    splineCoupling: { nflows: [-10.02, -10.01], zuko: [-10.38], normflows: [-10.01] },
    splineAutoregressive: { nflows: [-10.0, -10.14], zuko: [-10.09, -9.95], normflows: [-9.99] },
    affineAutoregressive: { nflows: [-10.37, -10.39], zuko: [-10.48, -10.58] },
    affineCoupling: { nflows: [-10.48, -10.76], zuko: [-11.65], normflows: [-10.57] },
  },
  parkinsons_15: {
    splineCoupling: { nflows: [-1.33, -1.35], zuko: [-4.12], normflows: [-1.35] },
    splineAutoregressive: { nflows: [-1.23, -1.19], zuko: [-3.51], normflows: [-1.02] },
    affineAutoregressive: { nflows: [-1.87, -2.1], zuko: [-2.16] },
    affineCoupling: { nflows: [-1.9, -2.15], zuko: [-2.23], normflows: [-1.92] },
  },
  two_moons: {
    splineCoupling: { nflows: [-0.33], zuko: [-0.32], normflows: [-0.32] },
    splineAutoregressive: { nflows: [-0.37], zuko: [-0.32], normflows: [-0.32] },
    affineAutoregressive: { nflows: [-0.4], zuko: [-0.36] },
    affineCoupling: { nflows: [-0.38], zuko: [-0.36], normflows: [-0.33] },
  },
};

/** The libraries' flows of a kind on a table, the best first. */
export function peersOf(table: TableName, kind: Kind): Peer[] {
  const kept = readData('peers.npz');
  return LIBRARIES.flatMap((library) => {
    const points = kept[`points__${table}__${library}_${kind}_seed1`]?.data as Float32Array | undefined;
    const known = MEANS[table]?.[kind]?.[library] ?? [];
    // Seed 1 is that of the points.
    const means = known.length < 2 && points !== undefined ? [...known, meanOf(points)] : known;
    return means.length === 0 ? [] : [{ library, mean: meanOf(means), points }];
  }).sort((a, b) => b.mean - a.mean);
}

export function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
