import type { Complementarity } from './complementarity';
import type { SubclassDifferences } from './differences';
import type { Transferability } from './transferability';

const SIZE = 0.05;

/** The findings of a bias report in sentences, no stronger than the figures. */
export function notesOn(
  differ: SubclassDifferences,
  complementarity: Complementarity,
  transfer: Transferability | null,
): string[] {
  return [differenceNote(differ), complementarityNote(complementarity), transferNote(transfer)];
}

function differenceNote({ location, spread, shape }: SubclassDifferences): string {
  const found = Object.entries({ location, spread, shape })
    .filter(([, { p }]) => p !== null && p < SIZE)
    .map(([name]) => name);
  return found.length === 0
    ? 'No difference between the small samples of different subclasses was detected (permutation tests at 0.05); that is no evidence that there is none.'
    : `The small samples of different subclasses differ in ${found.join(', ')} (permutation tests at 0.05).`;
}

function complementarityNote({ ratio, independent, pShared, pComplementary }: Complementarity): string {
  const figures = `ratio ${ratio.toFixed(2)}, independent samples give ${independent.ratio.map((end) => end.toFixed(2)).join(' to ')}`;
  if (pShared < SIZE / 2) {
    return `The deviations share a bias (${figures}): pooling subclasses does not remove it. Look for a common cause, one camera for instance.`;
  }
  if (pComplementary < SIZE / 2) {
    return `The deviations cancel over subclasses beyond what independence does (${figures}).`;
  }
  return `The deviations cancel no better and no worse than independent ones (${figures}): pooling K subclasses gains the ordinary factor 1/K, nothing more.`;
}

function transferNote(transfer: Transferability | null): string {
  if (transfer === null) {
    return 'Transfer was not scored: it needs 2 few samples of a subclass, and 4 reference samples of it and of two others.';
  }
  const { own, pooled, hierarchical, gapClosed } = transfer;
  const figures = `${own.toFixed(3)} from the own few, ${pooled.toFixed(3)} from other subclasses, ${hierarchical.toFixed(3)} from both, in nats per dimension`;
  if (gapClosed !== null && gapClosed > 0) {
    return `Other subclasses' deviations help to model a subclass (${figures}): ${Math.round(100 * gapClosed)} % of the way to a large sample of its own.`;
  }
  return `Other subclasses' deviations do not help to model a subclass here (${figures}).`;
}
