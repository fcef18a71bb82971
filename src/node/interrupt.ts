/** What ends a process: Ctrl-C, `kill` and job schedulers, a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * An AbortSignal that the first Ctrl-C (SIGINT), SIGTERM or SIGHUP aborts, so that training ends cleanly and nothing is lost.
 *
 * A second one ends the process as usual.
 *
 * @example
 * const history = await flow.fit(data, { epochs: 50, signal: abortOnInterrupt() });
 * await flow.save('file://models/garments'); // also after Ctrl-C
 */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    for (const name of SIGNALS) process.off(name, stop);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  return controller.signal;
}
