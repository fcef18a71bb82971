import { randomUUID } from 'node:crypto';

/** What a program displayed: outputs in their order, each with its type and what it showed last. */
export type Outputs = Map<string, { type: string; content: string | Uint8Array; times: number }>;

/** Lets this process look like the tslab kernel; displays are collected. */
export function pretendTslab(): Outputs {
  const outputs: Outputs = new Map();
  const newDisplay = () => {
    const id = randomUUID();
    return {
      raw(type: string, content: string | Uint8Array) {
        outputs.set(id, { type, content, times: (outputs.get(id)?.times ?? 0) + 1 });
      },
    };
  };
  Object.assign(globalThis, { __tslab__: { require: () => ({ newDisplay }) } });
  return outputs;
}

/** Ends what `pretendTslab` began. */
export function leaveTslab(): void {
  Object.assign(globalThis, { __tslab__: undefined });
}
