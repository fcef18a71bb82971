/**
 * An AbortSignal that the first Ctrl-C (SIGINT) aborts, so that training ends cleanly and nothing is lost.
 *
 * A second Ctrl-C ends the process as usual.
 *
 * @example
 * const history = await flow.fit(data, { epochs: 50, signal: abortOnInterrupt() });
 * await flow.save('file://models/garments'); // also after Ctrl-C
 */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}
