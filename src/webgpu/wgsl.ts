/** Invocations of a workgroup in programs over single values. */
export const FLAT = 256;

/** Most workgroups in one direction, by the standard. */
export const MOST_WORKGROUPS = 65535;

/** Workgroups for so many values, one invocation each. */
export function flatGroups(count: number, size = FLAT): [number, number, number] {
  const groups = Math.ceil(count / size);
  const rows = Math.ceil(groups / MOST_WORKGROUPS);
  return [Math.ceil(groups / Math.max(rows, 1)), rows, 1];
}

/** An entry over single values, `at` being the place of this one; it must be compared with their number. */
export function flatMain(body: string, size = FLAT): string {
  return `
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * groups.x + group.x) * ${size}u + local;
  ${body}
}`;
}

/** An entry of one workgroup for each of some things, `thing` being its number (to be compared with theirs), `local` the invocation's. */
export function groupMain(body: string, size = FLAT): string {
  return `
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thing = group.y * groups.x + group.x;
  ${body}
}`;
}

/**
 * `sumOfGroup(local, value)`: the sum of a value over the invocations of a workgroup, or over every so many in a row (a power of two),
 * the same in each of them. To be met by all of them.
 */
export function sumOfGroup(size = FLAT, inRow = size, type = 'f32'): string {
  if (inRow === 1) return `fn sumOfGroup(local: u32, value: ${type}) -> ${type} { return value; }`;
  return `
var<workgroup> parts: array<${type}, ${size}>;
fn sumOfGroup(local: u32, value: ${type}) -> ${type} {
  let lane = local % ${inRow}u;
  workgroupBarrier();
  parts[local] = value;
  workgroupBarrier();
  for (var half = ${inRow / 2}u; half > 0u; half = half / 2u) {
    if (lane < half) { parts[local] += parts[local + half]; }
    workgroupBarrier();
  }
  return parts[local - lane];
}`;
}

/** Parts of a program, in which a function that several of them bring is declared once. */
export function withoutRepeats(...parts: readonly string[]): string {
  const declared = new Set<string>();
  return parts.join('\n').replace(/^fn (\w+)\([^\n]*?\{(?:\n[\s\S]*?\n\}|[^\n]*\})$/gm, (code, name) => {
    if (declared.has(name)) return '';
    declared.add(name);
    return code;
  });
}
