/** A Glow on images. */
interface GlowCase {
  model: 'glow';
  imageShape: [height: number, width: number, channels: number];
  levels: number;
  stepsPerLevel: number;
  hiddenChannels: number;
  batch: number;
  /** How our side gets gradients; `fit` chooses where absent. */
  gradients?: 'stored' | 'reversible';
}

/** A Real NVP on vectors. */
interface RealNvpCase {
  model: 'realNvp';
  dimensions: number;
  layers: number;
  hiddenUnits: number[];
  batch: number;
}

/** What transforms the values of a flow for vectors, and what steers it. */
export type VectorKind =
  | 'splineCoupling'
  | 'splineAutoregressive'
  | 'affineAutoregressive'
  | 'affineCoupling';

/** Whose architecture a flow for vectors has. */
export type Library = 'nflows' | 'zuko' | 'normflows' | 'pytorch';

/** A flow for vectors as a library makes it. */
export interface VectorCase {
  model: 'vector';
  kind: VectorKind;
  library: Library;
  dimensions: number;
  batch: number;
  layers: number;
  /** Width of hidden layers. */
  hidden: number;
  /** Pieces of a spline, and half the side of its box. */
  bins: number;
  bound: number;
}

export type Case = GlowCase | RealNvpCase | VectorCase;

/** The kinds of flows for vectors that are measured, with their layers. */
export const vectorKinds: Record<VectorKind, number> = {
  splineCoupling: 5,
  splineAutoregressive: 5,
  affineAutoregressive: 5,
  affineCoupling: 10,
};

/** Their sizes. */
export const vectorSizes: readonly { dimensions: number; batch: number }[] = [
  { dimensions: 8, batch: 512 },
  { dimensions: 11, batch: 256 },
];

/** One of them, as in published tables: hidden layers of 64, splines of 8 pieces in [-5, 5]. */
export function vectorCase(
  kind: VectorKind,
  library: Library,
  size: { dimensions: number; batch: number },
): VectorCase {
  return {
    model: 'vector',
    kind,
    library,
    ...size,
    layers: vectorKinds[kind],
    hidden: 64,
    bins: 8,
    bound: 5,
  };
}

/** Of the size of published models of faces; it is measured with both kinds of gradients, between which `fit` chooses by the memory left. */
const largest = glow([64, 64, 3], { levels: 3, stepsPerLevel: 32, hiddenChannels: 512, batch: 2 });

/** What is measured, by name. */
export const cases = {
  G1: glow([32, 32, 3], { levels: 3, stepsPerLevel: 8, hiddenChannels: 128, batch: 16 }),
  G2: glow([32, 32, 3], { levels: 3, stepsPerLevel: 8, hiddenChannels: 512, batch: 4 }),
  G3: { ...largest, gradients: 'stored' },
  'G3-reversible': { ...largest, gradients: 'reversible' },
  G4: glow([16, 16, 1], { levels: 2, stepsPerLevel: 4, hiddenChannels: 64, batch: 32 }),
  tabular: { model: 'realNvp', dimensions: 8, layers: 8, hiddenUnits: [64, 64], batch: 512 },
} satisfies Record<string, Case>;

function glow(imageShape: GlowCase['imageShape'], options: Omit<GlowCase, 'model' | 'imageShape'>): GlowCase {
  return { model: 'glow', imageShape, ...options };
}

export type CaseName = keyof typeof cases;

/** Cases whose steps take milliseconds: engines need many of them until what runs often is compiled. */
const SHORT: CaseName[] = ['G4', 'tabular'];

/** Rounds of a case: a step of G3 takes seconds, five of a short one as long as one of G1. */
export function roundsOf(name: CaseName, rounds: number): number {
  if (SHORT.includes(name)) return 5 * rounds;
  return name.startsWith('G3') ? Math.min(rounds, 3) : rounds;
}
