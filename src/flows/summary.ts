import type { Module } from '../core/module';
import { Bijector } from '../layers';
import { alignColumns } from './account';

/** The layers of a flow as a text table: name, kind, output shape, parameters. */
export function summarize(flow: Module): string {
  const rows: string[][] = [];
  const walk = (module: Module, path: string): void => {
    const below = module.children.filter(
      (child) => !(module instanceof Bijector) || child instanceof Bijector,
    );
    if (below.length > 0) {
      for (const child of below) walk(child, path === '' ? child.name : `${path}/${child.name}`);
      return;
    }
    const shape = module instanceof Bijector ? `[${module.outputShape.join(', ')}]` : '';
    rows.push([path, module.label, shape, module.parameterCount.toLocaleString('en-US')]);
  };
  walk(flow, '');
  const total = flow.parameterCount.toLocaleString('en-US');
  return alignColumns(
    [['layer', 'kind', 'output', 'parameters'], ...rows, ['total', flow.label, '', total]],
    3,
  );
}
