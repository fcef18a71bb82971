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

export type Case = GlowCase | RealNvpCase;

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
