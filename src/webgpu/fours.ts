/** Whether values can be read in fours. */
export function inFours(...numbers: number[]): boolean {
  return numbers.every((number) => number % 4 === 0);
}

/** Statements, one for each of the first numbers. */
export function times(count: number, statement: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => statement(i)).join('\n');
}

/**
 * `NAMEFour(at, count)`: four values of a buffer from `at` on, 0 behind the first `count` of them, which are one at least.
 *
 * @param wide whether the buffer is one of vec4f; `at` and `count` are multiples of 4 then
 */
export function readsFour(buffer: string, wide: boolean): string {
  const body = wide
    ? `return ${buffer}[at / 4u];`
    : `var values = vec4f(${buffer}[at], 0f, 0f, 0f);
  ${[1, 2, 3].map((i) => `if (count > ${i}u) { values[${i}] = ${buffer}[at + ${i}u]; }`).join('\n')}
  return values;`;
  return `
fn ${buffer}Four(at: u32, count: u32) -> vec4f {
  ${body}
}`;
}

/** `NAMEPut(at, count, values)`: the first `count` of four values, written to a buffer from `at` on; as for `readsFour`. */
export function writesFour(buffer: string, wide: boolean): string {
  const body = wide
    ? `${buffer}[at / 4u] = values;`
    : `${buffer}[at] = values.x;
  ${[1, 2, 3].map((i) => `if (count > ${i}u) { ${buffer}[at + ${i}u] = values[${i}]; }`).join('\n')}`;
  return `
fn ${buffer}Put(at: u32, count: u32, values: vec4f) {
  ${body}
}`;
}

/** Elements of a buffer that is read or written four at a time. */
export function elements(wide: boolean): string {
  return wide ? 'vec4f' : 'f32';
}
