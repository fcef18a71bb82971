/** An attribute that a direction is learned for. */
export interface Attribute {
  name: string;
  /** 'binary': with against without. 'slope': a real value, moved by its standard deviation within subclasses. */
  mode: 'binary' | 'slope';
  /** Its value for an image; undefined for images that say nothing about it. */
  value(row: number): number | undefined;
}

/** Images of several subclasses, and what is known of them. */
export interface LabelledPictures {
  title: string;
  source: string;
  /** Levels of `nBits`, [n, h, w], row by row. */
  levels: Uint8Array;
  size: number;
  count: number;
  nBits: number;
  subclasses: string[];
  subclass: Int32Array;
  /** Subclasses kept from the flow and from the prior: five samples of one of them are all that the page has. */
  novel: number[];
  attributes: Attribute[];
  /** Pictures of each subclass that ship with the page. */
  shippedPerSubclass: number;
}

/** One image of a data set. */
export function picture(
  { levels, size }: Pick<LabelledPictures, 'levels' | 'size'>,
  row: number,
): Uint8Array {
  return levels.subarray(row * size * size, (row + 1) * size * size);
}
