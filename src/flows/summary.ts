import type { Module } from '../core/module';
import { Bijector, Conditioner } from '../layers';
import { alignColumns, contextText } from './account';

/** The layers of a flow as a text table: name, kind, what it is conditioned on, output shape, parameters. */
export function summarize(flow: Module): string {
  const rows: string[][] = [];
  const walk = (module: Module, path: string): void => {
    const isLayer = module instanceof Bijector || module instanceof Conditioner;
    const below = module.children.filter((child) => !isLayer || child instanceof Bijector);
    if (below.length > 0) {
      for (const child of below) walk(child, path === '' ? child.name : `${path}/${child.name}`);
      return;
    }
    const shape = isLayer ? `[${module.outputShape.join(', ')}]` : '';
    rows.push([
      path,
      module.label,
      contextText(module),
      shape,
      module.parameterCount.toLocaleString('en-US'),
    ]);
  };
  walk(flow, '');
  const total = flow.parameterCount.toLocaleString('en-US');
  return alignColumns(
    [['layer', 'kind', 'context', 'output', 'parameters'], ...rows, ['total', flow.label, '', '', total]],
    4,
  );
}
