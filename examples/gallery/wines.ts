import { fileURLToPath } from 'node:url';
import { neuralSplineFlow, readTable } from 'tfjs-flows';
import { readTableFile } from 'tfjs-flows/node';
import { cornerPlot } from 'tfjs-flows/notebook';

const STEPS = 1000;

/** Wines and samples of a spline flow that was fitted to them: every column and every pair. */
export async function wines(): Promise<string> {
  const file = await readTableFile(fileURLToPath(new URL('../data/wines.csv', import.meta.url)));
  const table = await readTable(
    file.toRecords().map((wine) => ({
      acidity: wine['volatile acidity'],
      sugar: wine['residual sugar'],
      'free share': Number(wine['free sulfur dioxide']) / Number(wine['total sulfur dioxide']),
      alcohol: wine.alcohol,
      quality: wine.quality,
      colour: wine.colour,
    })),
  );
  const flow = neuralSplineFlow({
    columns: table.columns,
    supports: { acidity: 'positive', sugar: 'positive', 'free share': [0, 1], quality: { integer: [0, 10] } },
    layers: 3,
    hiddenUnits: 32,
    seed: 1,
  });
  await flow.fit(table, {
    steps: STEPS,
    batchSize: 256,
    learningRate: 2e-3,
    schedule: { kind: 'cosine', steps: STEPS, warmupSteps: 50 },
    seed: 1,
    progress: 'none',
  });
  const samples = await flow.sampleTable(table.rows, { seed: 2 });
  flow.dispose();
  const figure = await cornerPlot({ wines: table, samples }, { title: 'Wines, and samples of a flow' });
  return String(figure.content);
}
