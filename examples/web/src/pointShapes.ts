/** Shapes to start from: a name and a draw of n points, x and y in turn. */
export const pointShapes: Record<string, (n: number) => Float32Array> = {
  'two moons': (n) =>
    draw(n, (i) => {
      const angle = Math.PI * Math.random();
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      return i % 2 === 0 ? [1.5 * x - 0.75, 1.5 * y - 0.35] : [0.75 - 1.5 * x, 0.35 - 1.5 * y];
    }),
  rings: (n) =>
    draw(n, (i) => {
      const angle = 2 * Math.PI * Math.random();
      const radius = i % 2 === 0 ? 1 : 2.2;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    }),
  spiral: (n) =>
    draw(n, () => {
      const turn = Math.sqrt(Math.random());
      const angle = 1.25 * 2 * Math.PI * turn;
      return [2.4 * turn * Math.cos(angle), 2.4 * turn * Math.sin(angle)];
    }),
  'four clusters': (n) => draw(n, (i) => [i % 2 === 0 ? 1.4 : -1.4, i % 4 < 2 ? 1.4 : -1.4], 0.3),
};

function draw(n: number, centre: (i: number) => [number, number], noise = 0.1): Float32Array {
  const points = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const [x, y] = centre(i);
    const radius = noise * Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    points.set([x + radius * Math.cos(angle), y + radius * Math.sin(angle)], 2 * i);
  }
  return points;
}
