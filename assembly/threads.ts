import { FromBfloat16Chunk, ToBfloat16Chunk } from './bfloat16';
import { ScaleAndSumChunk, ScaleChannelsChunk } from './channels';
import { CopyColumnsChunk, OrderColumnsChunk } from './columns';
import { CorrelateTile, PackCorrelation } from './correlation';
import { CoupleExample, CoupleGradientExample } from './coupling';
import { DepthwiseFilterTap, DepthwiseInputImage } from './depthwise';
import { NUMBER_BYTES, placeNumbers } from './exponential';
import { bind, CONTROL_BYTES, run, serve } from './parallel';
import { PerceptronChunk } from './perceptron';
import { PerceptronGradientChunk, PlaceLayerGradient } from './perceptronGradient';
import { PackLayer, TurnLayer } from './perceptronPanels';
import { PackRight, ProductBlock } from './product';
import { ReduceChunk } from './reduction';
import { ScaledLinearChunk } from './scaledLinear';
import { SplineExamples } from './spline';
import { SplineGradientExamples } from './splineGradient';
import { AffineExamples, AffineGradientExamples } from './affineEvents';
import { SweepRows } from './sweep';
import { AdaptCompactSegment, AdaptSegment, SumSquares } from './weights';
import { PackWinograd, WinogradBlock } from './winograd';
import { CorrelateTiles, TransformNarrow } from './winogradFilter';
import { FACTOR_BYTES, placeFactors } from './winogradTransforms';

/** Bytes of the block that `attach` wants: the scheduler's, then the constants that kernels read from memory. */
export function blockBytes(): usize {
  return CONTROL_BYTES + FACTOR_BYTES + NUMBER_BYTES;
}

/** Binds this instance to the block that all threads share; every thread does this once, the one that starts the regions first. */
export function attach(block: usize, otherThreads: i32, number: i32): void {
  bind(block, otherThreads, number);
  placeFactors(block + CONTROL_BYTES);
  placeNumbers(block + CONTROL_BYTES + FACTOR_BYTES);
}

/** What a worker thread does for ever. */
export function join(): void {
  serve<Tasks>();
}

/** All tasks, by the number that the compiler gave their class. */
class Tasks {
  run(task: u32, chunk: i32): void {
    switch (task) {
      case idof<PackRight>(): run<PackRight>(chunk); break;
      case idof<ProductBlock>(): run<ProductBlock>(chunk); break;
      case idof<PackCorrelation>(): run<PackCorrelation>(chunk); break;
      case idof<CorrelateTile>(): run<CorrelateTile>(chunk); break;
      case idof<ReduceChunk>(): run<ReduceChunk>(chunk); break;
      case idof<ScaleChannelsChunk>(): run<ScaleChannelsChunk>(chunk); break;
      case idof<ScaleAndSumChunk>(): run<ScaleAndSumChunk>(chunk); break;
      case idof<CoupleExample>(): run<CoupleExample>(chunk); break;
      case idof<CoupleGradientExample>(): run<CoupleGradientExample>(chunk); break;
      case idof<AdaptSegment>(): run<AdaptSegment>(chunk); break;
      case idof<SumSquares>(): run<SumSquares>(chunk); break;
      case idof<DepthwiseInputImage>(): run<DepthwiseInputImage>(chunk); break;
      case idof<DepthwiseFilterTap>(): run<DepthwiseFilterTap>(chunk); break;
      case idof<PackWinograd>(): run<PackWinograd>(chunk); break;
      case idof<WinogradBlock>(): run<WinogradBlock>(chunk); break;
      case idof<TransformNarrow>(): run<TransformNarrow>(chunk); break;
      case idof<CorrelateTiles>(): run<CorrelateTiles>(chunk); break;
      case idof<CopyColumnsChunk>(): run<CopyColumnsChunk>(chunk); break;
      case idof<OrderColumnsChunk>(): run<OrderColumnsChunk>(chunk); break;
      case idof<ScaledLinearChunk>(): run<ScaledLinearChunk>(chunk); break;
      case idof<AdaptCompactSegment>(): run<AdaptCompactSegment>(chunk); break;
      case idof<ToBfloat16Chunk>(): run<ToBfloat16Chunk>(chunk); break;
      case idof<FromBfloat16Chunk>(): run<FromBfloat16Chunk>(chunk); break;
      case idof<PackLayer>(): run<PackLayer>(chunk); break;
      case idof<TurnLayer>(): run<TurnLayer>(chunk); break;
      case idof<PerceptronChunk>(): run<PerceptronChunk>(chunk); break;
      case idof<PerceptronGradientChunk>(): run<PerceptronGradientChunk>(chunk); break;
      case idof<PlaceLayerGradient>(): run<PlaceLayerGradient>(chunk); break;
      case idof<SplineExamples>(): run<SplineExamples>(chunk); break;
      case idof<SplineGradientExamples>(): run<SplineGradientExamples>(chunk); break;
      case idof<AffineExamples>(): run<AffineExamples>(chunk); break;
      case idof<AffineGradientExamples>(): run<AffineGradientExamples>(chunk); break;
      case idof<SweepRows>(): run<SweepRows>(chunk); break;
      default: unreachable();
    }
  }
}
