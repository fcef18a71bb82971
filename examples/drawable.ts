/** Levels to draw: black where a latent so far out has no finite image any more, which is told. */
export function drawable(levels: Float32Array): Float32Array {
  const broken = levels.reduce((sum, level) => sum + Number(!Number.isFinite(level)), 0);
  if (broken === 0) return levels;
  const percent = ((100 * broken) / levels.length).toFixed(1);
  console.log(
    `  ${percent} % of the pixels drawn are not finite, and black: these latents lie outside of what the flow can invert`,
  );
  return levels.map((level) => (Number.isFinite(level) ? level : 0));
}
