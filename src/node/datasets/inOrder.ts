/** What became of one of several reads. */
export type Outcome<T> = { value: T } | { error: Error };

/**
 * Results of `read(0), read(1), ...` in this order, of which so many are under way at a time.
 *
 * @param ahead reads that are begun before the first of them is taken
 */
export async function* inOrder<T>(
  count: number,
  ahead: number,
  read: (place: number) => Promise<T>,
): AsyncGenerator<Outcome<T>, void> {
  const underWay: Promise<Outcome<T>>[] = [];
  for (let next = 0; next < count || underWay.length > 0; ) {
    while (next < count && underWay.length < ahead) {
      underWay.push(
        read(next++).then(
          (value) => ({ value }),
          (error: Error) => ({ error }),
        ),
      );
    }
    yield await underWay.shift()!;
  }
}
