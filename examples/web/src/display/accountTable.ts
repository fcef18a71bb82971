import { element } from '../dom';
import type { Score } from '../protocol';

/** The per-layer account: bits per dimension of every layer as figures and bars. */
export function accountTable({ lines, bitsPerDim }: Score): HTMLElement {
  // The first line is the width of the quantization bins: all bits there are.
  const widest = Math.max(...lines.slice(1).map((line) => Math.abs(line.bitsPerDim)));
  const row = (name: string, bits: number, error: string) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, name),
      element('td', { className: 'number' }, bits.toFixed(4)),
      element('td', { 'aria-hidden': 'true' }, bar(bits / widest)),
      element('td', { className: 'number' }, error),
    );
  return element(
    'div',
    { className: 'table-scroll', tabIndex: 0, role: 'region', 'aria-label': 'Per-layer account' },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ...['layer', 'bits/dim', 'as a bar', 'round trip'].map((title) =>
            element('th', { scope: 'col' }, title),
          ),
        ),
      ),
      element(
        'tbody',
        {},
        ...lines.map((line) => row(line.name, line.bitsPerDim, line.roundTripError.toExponential(1))),
        row('total', bitsPerDim, ''),
      ),
    ),
  );
}

/** A bar from the middle: to the right for bits that a layer costs, to the left for bits it saves. */
function bar(share: number): HTMLElement {
  const half = Math.min(1, Math.abs(share)) * 50;
  const left = share < 0 ? 50 - half : 50;
  const side = share < 0 ? 'saves' : 'costs';
  return element(
    'div',
    { className: 'bar' },
    element('div', { className: side, style: `left:${left}%;width:${half}%` }),
  );
}
