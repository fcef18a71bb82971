/**
 * What a notebook shows: images, plots, tables and progress, for tslab, Deno's kernel and Observable.
 *
 * @module tfjs-flows/notebook
 */
export { Figure, type FigureType } from './figure';
export { type Frame, frameOf, type ImageSheetOptions, imageSheet } from './imageSheet';
export { type CornerPlotOptions, cornerPlot } from './plots/cornerPlot';
export { type DensityPlotOptions, densityPlot } from './plots/densityPlot';
export type { PlotLabels, PlotSize } from './plots/draw';
export { type LossPlotOptions, lossPlot } from './plots/lossPlot';
export { mixingPlot } from './plots/mixingPlot';
export { quantilePlot } from './plots/quantilePlot';
export { type RangeRow, rangePlot } from './plots/rangePlot';
export { type ScatterPlotOptions, scatterPlot } from './plots/scatterPlot';
export { show } from './show';
export { accountTable, type TableOptions, table } from './table';
export { type TrainingProgress, trainingProgress } from './trainingProgress';
