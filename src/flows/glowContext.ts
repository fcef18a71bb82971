import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextShape,
  type ContextTensors,
  contextShapeOf,
  isNamed,
  showContext,
} from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import type { Shape } from '../core/shapes';
import { type Embed, Embedding, throughEmbed } from './embedding';

/** The part of a Glow's context that is class labels, where there are other parts. */
export const LABELS = 'labels';

/** How a Glow's layers read what it is conditioned on. */
export interface GlowContext {
  /** Classes of the top prior: their number, or that by name. */
  classes: number | { [LABELS]: number };
  /** What the networks of a level read. */
  ofLevel(level: number): ContextShape | undefined;
  /** What leads there from what is given; undefined where that is the same. */
  embedding?: Embedding;
}

/** The options of a Glow that say what it is conditioned on. */
export interface GlowContextOptions {
  imageShape: Shape;
  levels: number;
  classes: number;
  context?: ContextOption;
  embed?: Embed;
}

/**
 * Plans the context of a Glow: vectors reach every network as they are, images reach those of each level averaged to its size.
 *
 * @throws ConfigError for parts that are neither, for an unnamed context beside classes, and where `embed` does not fit
 */
export function planContext(options: GlowContextOptions): GlowContext {
  const { imageShape, levels, classes, context, embed } = options;
  const outer = contextShapeOf('Glow', context);
  const labels = classes > 0 && outer !== undefined;
  if (labels && (!isNamed(outer) || LABELS in outer)) {
    const hint = `Give it a name beside the classes' part '${LABELS}': context: { pose: 3 }.`;
    throw new ConfigError(complaint('Glow', 'a context with a name of its own', showContext(outer), hint));
  }
  const inner = throughEmbed('Glow', embed, outer, 'inputShape');
  const shapes: Readonly<Record<string, Shape>> =
    inner === undefined || isNamed(inner) ? (inner ?? {}) : { '': inner };
  const images = Object.keys(shapes).filter((name) => isImage(name, shapes[name], imageShape));
  const ofClasses = labels ? { [LABELS]: classes } : classes;
  const outerShape = labels ? { [LABELS]: [classes], ...(outer as Record<string, Shape>) } : outer;
  if (images.length === 0) {
    const embedding = embed && new Embedding(embed, outerShape as ContextShape);
    return { classes: ofClasses, ofLevel: () => inner, embedding };
  }
  const ofLevel = (level: number) => {
    const parts = Object.entries(shapes).map(([name, shape]): [string, Shape] => {
      const [height, width, channels] = shape;
      const factor = 2 ** (level + 1);
      return images.includes(name)
        ? [atLevel(name, level), [height / factor, width / factor, channels]]
        : [name, shape];
    });
    return Object.fromEntries(parts);
  };
  return {
    classes: ofClasses,
    ofLevel,
    embedding: new ImagePyramid(embed, outerShape as ContextShape, images, levels),
  };
}

/** An embedding whose images come out once per level, averaged to the level's size. */
class ImagePyramid extends Embedding {
  static override className = 'FlowImagePyramid';

  constructor(
    embed: Embed | undefined,
    outerShape: ContextShape,
    private readonly images: readonly string[],
    private readonly levels: number,
  ) {
    super(embed, outerShape);
  }

  override apply(context: ContextTensors): ContextTensors {
    const embedded = super.apply(context);
    const parts = embedded instanceof tf.Tensor ? { '': embedded } : embedded;
    const read = Object.entries(parts).flatMap(([name, part]) =>
      this.images.includes(name) ? this.pyramid(name, part) : [[name, part] as const],
    );
    return Object.fromEntries(read);
  }

  private pyramid(name: string, image: tf.Tensor): (readonly [string, tf.Tensor])[] {
    let averaged = image;
    return Array.from({ length: this.levels }, (_, level) => {
      averaged = halve(averaged);
      return [atLevel(name, level), averaged] as const;
    });
  }
}

/** Averages of 2 x 2 positions: [n, h, w, c] -> [n, h / 2, w / 2, c]; means alone, whose gradients every backend has. */
function halve(image: tf.Tensor): tf.Tensor {
  const [n, height, width, channels] = image.shape;
  const rows = tf.mean(tf.reshape(image, [(n * height) / 2, 2, width * channels]), 1);
  const both = tf.mean(tf.reshape(rows, [(n * height * width) / 4, 2, channels]), 1);
  return tf.reshape(both, [n, height / 2, width / 2, channels]);
}

function atLevel(name: string, level: number): string {
  return name === '' ? `level${level}` : `${name}.level${level}`;
}

function isImage(name: string, shape: Shape, [height, width]: Shape): boolean {
  if (shape.length === 1) return false;
  if (shape.length === 3 && shape[0] === height && shape[1] === width) return true;
  const of = name === '' ? '' : ` for '${name}'`;
  const expected = `a context that is a vector [d] or an image [${height}, ${width}, c]${of}`;
  throw new ConfigError(complaint('Glow', expected, shape, 'Bring it to one of them with `embed`.'));
}
