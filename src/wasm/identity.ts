import { replaceKernel } from './register';

/** Clones share their data, which no kernel ever changes; the stock kernel copies, and a tape clones all that it saves. */
export function registerIdentity(): void {
  replaceKernel<'x', unknown>(
    'Identity',
    ({ inputs: { x }, backend }) => {
      backend.incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
    { dtypes: ['float32', 'int32', 'bool', 'complex64', 'string'] },
  );
}
