/**
 * The checks that every bijector of this library passes, for bijectors of your own.
 *
 * @module tfjs-flows/testing
 */
import { FlowError } from '../core/errors';
import { checkOptions } from '../core/options';
import { checkChoice } from '../core/shapes';
import { checks } from './checks';
import { type CheckOptions, freeSubject, makeSubject } from './subject';

export type { CheckOptions } from './subject';

/**
 * The properties that `checkBijector` checks, by name.
 *
 * @example
 * console.log(bijectorChecks); // ['round trip', ...]
 * await checkBijector({ create: () => new ActNorm({ inputShape: [3] }) }, bijectorChecks.slice(0, 2));
 */
export const bijectorChecks: readonly string[] = Object.keys(checks);

/**
 * Checks that a bijector keeps every promise of the contract, on the current backend.
 *
 * Round trip, logDet against a numerical Jacobian, gradients of both directions in inputs, contexts and weights against finite
 * differences, reversible gradients against the engine's own tape, initialize against forward, contexts as declared, integers against
 * floats, independence of the batch, traces, a subclass, tensor leaks, configuration through JSON, save and load.
 * Keep events small: the Jacobian takes 2 * size passes. Values are read at once: where webgpu is active in Node, make cpu or wasm so.
 *
 * @param options how to build the bijector and draw its data
 * @param only names of the checks to run. Default: all of `bijectorChecks`
 * @throws FlowError naming the check, and what was found instead
 * @see docs/adding-a-bijector.md
 * @example
 * await checkBijector({ create: () => new ActNorm({ inputShape: [3] }) });
 */
export async function checkBijector(
  options: CheckOptions,
  only: readonly string[] = bijectorChecks,
): Promise<void> {
  checkOptions('checkBijector', options, {
    create: true,
    sample: true,
    context: true,
    free: true,
    seed: true,
    tolerance: true,
  });
  for (const name of only) {
    checkChoice('checkBijector', 'a check', name, bijectorChecks);
    const subject = makeSubject(options);
    try {
      await checks[name](subject);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new FlowError(`${subject.bijector.label}, ${name}: ${message}`, { cause: error } as never);
    } finally {
      freeSubject(subject);
    }
  }
}
