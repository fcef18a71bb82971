import type { Module } from '../core/module';
import { Bijector, Conditioner } from '../layers';
import { alignColumns, contextText } from './account';

/** The layers of a flow as a text table: name, kind, what it is conditioned on, output shape, parameters. */
export function summarize(flow: Module): string {
  const rows: string[][] = [];
  const walk = (module: Module, path: string): void => {
    const isLayer = module instanceof Bijector || module instanceof Conditioner;
    const below = isLayer ? membersOf(module) : module.children;
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

/** The layers that a layer is made of; a network is one line, and what a layer holds besides layers counts as its own. */
function membersOf(layer: Module): readonly Module[] {
  return layer instanceof Conditioner ? [] : layer.children.filter((child) => child instanceof Bijector);
}
