/** [low, high] */
export type Strengths = [number, number];

/** What of the intervals lies outside `hole`. */
export function without(intervals: readonly Strengths[], hole: Strengths | null): Strengths[] {
  if (hole === null) return intervals.map(([low, high]) => [low, high]);
  return intervals.flatMap(([low, high]): Strengths[] => {
    if (hole[1] <= low || hole[0] >= high) return [[low, high]];
    const parts: Strengths[] = [];
    if (hole[0] > low) parts.push([low, hole[0]]);
    if (hole[1] < high) parts.push([hole[1], high]);
    return parts;
  });
}

export function contains(intervals: readonly Strengths[], strength: number): boolean {
  return intervals.some(([low, high]) => strength >= low && strength <= high);
}

/** Strengths with a s^2 + 2 b s + e <= limit for a > 0; null where there are none. */
export function quadraticInterval(a: number, b: number, e: number, limit: number): Strengths | null {
  const discriminant = b * b - a * (e - limit);
  if (discriminant < 0) return null;
  const root = Math.sqrt(discriminant);
  return [(-b - root) / a, (-b + root) / a];
}
