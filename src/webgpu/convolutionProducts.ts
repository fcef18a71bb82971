import { type BlockForm, DOWN } from './blocks';
import { times } from './fours';
import { DEPTH, fillTile, inTile, type Tile, tileRoom } from './tiles';

/*
 * How an invocation's block of a convolution is summed up: from the buffers, or from tiles.
 */

/** Blocks of so many rows. */
export interface ConvolutionForm extends BlockForm {
  rows: number;
}

/** So many positions, and where the pixels lie that a tap sees from them. */
function positionsOf(
  size: number,
  count: number,
  position: (i: number) => string,
): { start: string; seen: string; value: (i: number, value: string, zero: string) => string } {
  const margin = (size - 1) / 2;
  // Those behind the last are computed as the last, and dropped.
  const start = times(count, (i) => `let p${i} = min(${position(i)}, sizes.positions - 1u);`);
  if (size === 1) {
    return {
      start,
      seen: times(count, (i) => `let at${i} = p${i} * sizes.stride;`),
      value: (_, value) => value,
    };
  }
  const places = times(
    count,
    (i) =>
      `let line${i} = i32(p${i}) / sizes.width; let x${i} = i32(p${i}) - line${i} * sizes.width; let y${i} = line${i} % sizes.height;`,
  );
  const seen = `
    let right = i32(tap % ${size}u) - ${margin};
    let below = i32(tap / ${size}u) - ${margin};
    ${times(
      count,
      (i) => `
    let in${i} = u32(x${i} + right) < u32(sizes.width) && u32(y${i} + below) < u32(sizes.height);
    let at${i} = select(0u, u32(i32(p${i}) + below * sizes.width + right) * sizes.stride, in${i});`,
    )}`;
  return { start: start + places, seen, value: (i, value, zero) => `select(${zero}, ${value}, in${i})` };
}

/** How a block's sums are made: what is worked out once, for each tap, and over its channels. */
interface Product {
  declared: string;
  start: string;
  seen: string;
  overChannels: string;
}

/** Four channels of every row times as many rows of filters. */
function addFours(
  { rows, quads }: ConvolutionForm,
  filters: (j: number, q: number) => string,
  patch: (i: number) => string,
): string {
  return `${times(4, (j) => times(quads, (q) => `let b${j}_${q} = ${filters(j, q)};`))}
      ${times(
        rows,
        (i) => `{
        let a = ${patch(i)};
        ${times(quads, (q) => times(4, (j) => `sum${i}_${q} += a[${j}] * b${j}_${q};`))}
      }`,
      )}`;
}

/** Blocks that read the buffers. */
export function fromBuffers(form: ConvolutionForm): Product {
  const { size, rows, quads, wideIn } = form;
  const { start, seen, value } = positionsOf(size, rows, (i) => `firstRow + ${i}u`);
  const ofFilters = (row: string, q: number) =>
    `filtersFour(${row} * sizes.columns + column + ${4 * q}u, count)`;
  const overChannels = wideIn
    ? `for (var channel = 0u; channel < sizes.channels; channel += 4u) {
      ${addFours(
        form,
        (j, q) => ofFilters(`(first + channel + ${j}u)`, q),
        (i) => value(i, `images[(at${i} + channel) / 4u]`, 'vec4f()'),
      )}
    }`
    : `for (var channel = 0u; channel < sizes.channels; channel++) {
      ${times(quads, (q) => `let b${q} = ${ofFilters('(first + channel)', q)};`)}
      ${times(
        rows,
        (i) => `{
        let a = ${value(i, `images[at${i} + channel]`, '0f')};
        ${times(quads, (q) => `sum${i}_${q} += a * b${q};`)}
      }`,
      )}
    }`;
  return { declared: '', start, seen, overChannels };
}

/**
 * Blocks that read tiles. That of the patches is [rows, DEPTH], its fours of a row turned around so that neither the invocations that write
 * four of them each nor those that read one of their row meet in a memory bank.
 */
export function fromTiles(form: ConvolutionForm): Product {
  const { size, rows, quads, across } = form;
  const fours = DEPTH / 4;
  /** Rows that the workgroup writes at once. */
  const atOnce = (DOWN * across) / fours;
  const passes = Math.ceil((DOWN * rows) / atOnce);
  const tileRow = (i: number) => `(local / ${fours}u + ${i * atOnce}u)`;
  const place = (row: string, four: string) => `${row} * ${fours}u + (${four} ^ (${row} / 2u % ${fours}u))`;
  const { start, seen, value } = positionsOf(size, passes, (i) => `firstBlock * ${rows}u + ${tileRow(i)}`);
  const filters: Tile = { name: 'filterTile', lines: across, quads };
  const fill = (i: number) => {
    const code = `{
      var value = vec4f();
      if (own < sizes.channels) { value = ${value(i, `images[(at${i} + own) / 4u]`, 'vec4f()')}; }
      patchTile[${place(tileRow(i), 'mine')}] = value;
    }`;
    return (i + 1) * atOnce > DOWN * rows ? `if (${tileRow(i)} < ${DOWN * rows}u) ${code}` : code;
  };
  return {
    declared: `
var<workgroup> patchTile: array<vec4f, ${DOWN * rows * fours}>;${tileRoom(filters)}`,
    start: `let mine = local % ${fours}u;
  ${start}`,
    seen,
    overChannels: `for (var begin = 0u; begin < sizes.channels; begin += ${DEPTH}u) {
    let own = begin + 4u * mine;
    ${times(passes, fill)}
    ${fillTile(
      filters,
      across,
      `let at = firstColumn + 4u * four;
      if (begin + term < sizes.channels && at < sizes.columns) { value = filtersFour((first + begin + term) * sizes.columns + at, 4u); }`,
    )}
    workgroupBarrier();
    for (var four = 0u; four < min(${fours}u, (sizes.channels - begin) / 4u); four++) {
      ${addFours(
        form,
        (j, q) => inTile(filters, `(4u * four + ${j}u)`, 'lane', q),
        (i) => `patchTile[${place(`(line + ${DOWN * i}u)`, 'four')}]`,
      )}
    }
    workgroupBarrier();
  }
  `,
  };
}
