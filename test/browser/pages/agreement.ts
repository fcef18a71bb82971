import '@tensorflow/tfjs-backend-cpu';
import { prepareWebGpu } from 'tfjs-flows/webgpu';
import { registry } from '../../conformance/registry';
import { type Differences, differencesFromCpu, trainingCurve } from '../../support/agreement';

/** What the test in Node calls in the page. */
export interface AgreementPage {
  /** Prepares webgpu; false where the browser has none. */
  hasWebgpu(): Promise<boolean>;
  differences(bijector: string): Promise<Differences>;
  losses(backend: string, steps: number): Promise<number[]>;
}

const page: AgreementPage = {
  async hasWebgpu() {
    if (navigator.gpu === undefined) return false;
    await prepareWebGpu();
    return true;
  },
  differences: (name) => differencesFromCpu('webgpu', registry[name]),
  losses: trainingCurve,
};

Object.assign(globalThis, { page });
