import '@tensorflow/tfjs-backend-webgl';
import * as tf from '@tensorflow/tfjs-core';
import { checkBijector } from 'tfjs-flows/testing';
import { registry } from '../../conformance/registry';

/** What the test in Node calls in the page. */
export interface ConformancePage {
  /** Makes a backend the current one; false where it does not start. */
  useBackend(name: string): Promise<boolean>;
  /** Runs one check on one bijector of the registry; the complaint, or nothing where it holds. */
  check(bijector: string, check: string): Promise<string | undefined>;
}

const page: ConformancePage = {
  useBackend: (name) => tf.setBackend(name),
  async check(bijector, check) {
    try {
      await checkBijector(registry[bijector], [check]);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};

Object.assign(globalThis, { page });
