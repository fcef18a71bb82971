/** Node's own modules without an import that bundlers for browsers would trip over; absent elsewhere. */
export function nodeModule<T>(name: string): T | undefined {
  const get = globalThis.process?.getBuiltinModule as ((id: string) => unknown) | undefined;
  return get?.(name) as T | undefined;
}
