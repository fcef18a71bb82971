/** Stands for a place that there is not. */
export const NOWHERE = 0xffffffff;

/**
 * `layerAt(i)`: what a program knows of a layer, numbers by these names, which stand one layer after another where a buffer of words begins.
 * `nowhere` is NOWHERE.
 */
export function layerTable(fields: readonly string[], buffer: string): string {
  return `
struct Layer { ${fields.map((field) => `${field}: u32`).join(', ')} };
fn layerAt(i: u32) -> Layer {
  let at = i * ${fields.length}u;
  return Layer(${fields.map((_, i) => `${buffer}[at + ${i}u]`).join(', ')});
}
const nowhere = ${NOWHERE}u;`;
}
