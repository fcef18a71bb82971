import { fromBfloat16Chunk, toBfloat16Chunk } from './bfloat16';
import { scaleAndSumChunk, scaleChannelsChunk } from './channels';
import { copyColumnsChunk } from './columns';
import { correlateTile, packCorrelation } from './correlation';
import { coupleExample, coupleGradientExample } from './coupling';
import { depthwiseFilterTap, depthwiseInputImage } from './depthwise';
import { scaledLinearChunk } from './scaledLinear';
import { packRight, productBlock } from './product';
import { reduceChunk } from './reduction';
import { adaptCompactSegment, adaptSegment, sumSquares } from './weights';
import { packWinograd, winogradBlock } from './winograd';
import { correlateTiles, transformNarrow } from './winogradFilter';

/* What a chunk of a parallel region can be. */
export const PACK_RIGHT: i32 = 0;
export const PRODUCT: i32 = 1;
export const PACK_CORRELATION: i32 = 2;
export const CORRELATE: i32 = 3;
export const REDUCE: i32 = 4;
export const SCALE_CHANNELS: i32 = 5;
export const SCALE_AND_SUM: i32 = 6;
export const COUPLE: i32 = 7;
export const COUPLE_GRADIENT: i32 = 8;
export const ADAPT: i32 = 9;
export const SUM_SQUARES: i32 = 10;
export const DEPTHWISE_INPUT: i32 = 11;
export const DEPTHWISE_FILTER: i32 = 12;
export const PACK_WINOGRAD: i32 = 13;
export const WINOGRAD: i32 = 14;
export const TRANSFORM_NARROW: i32 = 15;
export const CORRELATE_TILES: i32 = 16;
export const COPY_COLUMNS: i32 = 17;
export const SCALED_LINEAR: i32 = 18;
export const ADAPT_COMPACT: i32 = 19;
export const TO_BFLOAT16: i32 = 20;
export const FROM_BFLOAT16: i32 = 21;

export function runTask(task: i32, chunk: i32): void {
  switch (task) {
    case PACK_RIGHT: packRight(chunk); break;
    case PRODUCT: productBlock(chunk); break;
    case PACK_CORRELATION: packCorrelation(chunk); break;
    case CORRELATE: correlateTile(chunk); break;
    case REDUCE: reduceChunk(chunk); break;
    case SCALE_CHANNELS: scaleChannelsChunk(chunk); break;
    case SCALE_AND_SUM: scaleAndSumChunk(chunk); break;
    case COUPLE: coupleExample(chunk); break;
    case COUPLE_GRADIENT: coupleGradientExample(chunk); break;
    case ADAPT: adaptSegment(chunk); break;
    case SUM_SQUARES: sumSquares(chunk); break;
    case DEPTHWISE_INPUT: depthwiseInputImage(chunk); break;
    case DEPTHWISE_FILTER: depthwiseFilterTap(chunk); break;
    case PACK_WINOGRAD: packWinograd(chunk); break;
    case WINOGRAD: winogradBlock(chunk); break;
    case TRANSFORM_NARROW: transformNarrow(chunk); break;
    case CORRELATE_TILES: correlateTiles(chunk); break;
    case COPY_COLUMNS: copyColumnsChunk(chunk); break;
    case SCALED_LINEAR: scaledLinearChunk(chunk); break;
    case ADAPT_COMPACT: adaptCompactSegment(chunk); break;
    case TO_BFLOAT16: toBfloat16Chunk(chunk); break;
    case FROM_BFLOAT16: fromBfloat16Chunk(chunk); break;
  }
}
