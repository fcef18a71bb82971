import type { Figure } from 'tfjs-flows/notebook';

/** Size that the plots of this folder are drawn in. */
export const SIZE = { width: 420, height: 320 };

/** Plots side by side in one SVG. */
export function page(plots: readonly Figure[]): string {
  const width = plots.length * SIZE.width;
  const height = SIZE.height + 30;
  const parts = plots.map(({ content }, i) =>
    String(content).replace('<svg', `<svg x="${i * SIZE.width}" y="0"`),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${plots.map(({ description }) => description).join(', ')}</title>
<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}
