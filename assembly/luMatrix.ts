/*
 * W = P L (U + diag(d)) of a matrix of channels, and the way back, in float64. P, L and U are [n, n] in float32; what lies on the
 * other side of a factor's diagonal is not looked at. Lines of float64 have an even number of values, the last being 0 where n is odd.
 */

// @ts-ignore: decorator
@inline
function lineBytes(n: i32): usize {
  return <usize>((n + 1) & ~1) << 3;
}

/** Bytes of room: three lines, U and its gradient. */
export function luBytes(n: i32): usize {
  return <usize>(3 + 2 * n) * lineBytes(n);
}

// @ts-ignore: decorator
@inline
function at(line: usize, column: i32): usize {
  return line + (<usize>column << 3);
}

/** The row of W that is row k of L U: the one of column k of P. */
function rowOf(permutation: usize, n: i32, k: i32): i32 {
  for (let row = 0; row < n; row++) {
    if (load<f32>(permutation + (<usize>(row * n + k) << 2)) == 1) return row;
  }
  return k;
}

/** U + diag(d) in lines, zeros below the diagonal. */
function unpackUpper(n: i32, upper: usize, diagonal: usize, lines: usize): void {
  const bytes = lineBytes(n);
  memory.fill(lines, 0, <usize>n * bytes);
  for (let k = 0; k < n; k++) {
    const line = lines + <usize>k * bytes;
    store<f64>(at(line, k), load<f64>(at(diagonal, k)));
    for (let j = k + 1; j < n; j++) {
      store<f64>(at(line, j), <f64>load<f32>(upper + (<usize>(k * n + j) << 2)));
    }
  }
}

/** The first of a pair of values that holds this one. */
// @ts-ignore: decorator
@inline
function pairOf(column: i32): i32 {
  return column & ~1;
}

/** @param diagonal n values of float64 at the start of the room, which is left in use */
export function luMatrix(
  n: i32,
  permutation: usize,
  lower: usize,
  upper: usize,
  diagonal: usize,
  output: usize,
): void {
  const bytes = lineBytes(n);
  const sum = diagonal + bytes;
  const lines = sum + 2 * bytes;
  unpackUpper(n, upper, diagonal, lines);
  for (let i = 0; i < n; i++) {
    memory.copy(sum, lines + <usize>i * bytes, bytes);
    for (let k = 0; k < i; k++) {
      const weight = f64x2.splat(<f64>load<f32>(lower + (<usize>(i * n + k) << 2)));
      const line = lines + <usize>k * bytes;
      for (let j = pairOf(k); j < n; j += 2) {
        const product = f64x2.mul(weight, v128.load(at(line, j)));
        v128.store(at(sum, j), f64x2.add(v128.load(at(sum, j)), product));
      }
    }
    const to = output + (<usize>(rowOf(permutation, n, i) * n) << 2);
    for (let j = 0; j < n; j++) store<f32>(to + (<usize>j << 2), <f32>load<f64>(at(sum, j)));
  }
}

/**
 * Gradients in L, U and log d from that in W, with `ofLogDet` added to the last: dL = (P' dW) U', dU = L' (P' dW).
 *
 * @param diagonal as in `luMatrix`
 */
export function luMatrixGradient(
  n: i32,
  permutation: usize,
  lower: usize,
  upper: usize,
  diagonal: usize,
  ofMatrix: usize,
  ofLogDet: f64,
  ofLower: usize,
  ofUpper: usize,
  ofLogScale: usize,
): void {
  const bytes = lineBytes(n);
  const given = diagonal + bytes;
  const lines = given + 2 * bytes;
  const gradients = lines + <usize>n * bytes;
  unpackUpper(n, upper, diagonal, lines);
  memory.fill(gradients, 0, <usize>n * bytes);
  store<f64>(at(given, n), 0);
  memory.fill(ofLower, 0, <usize>(n * n) << 2);
  memory.fill(ofUpper, 0, <usize>(n * n) << 2);
  for (let i = 0; i < n; i++) {
    const from = ofMatrix + (<usize>(rowOf(permutation, n, i) * n) << 2);
    for (let j = 0; j < n; j++) store<f64>(at(given, j), <f64>load<f32>(from + (<usize>j << 2)));
    for (let k = 0; k <= i; k++) {
      const entry = <usize>(i * n + k) << 2;
      const weight = f64x2.splat(k < i ? <f64>load<f32>(lower + entry) : 1);
      const line = lines + <usize>k * bytes;
      const gradient = gradients + <usize>k * bytes;
      let products = f64x2.splat(0);
      for (let j = pairOf(k); j < n; j += 2) {
        const pair = v128.load(at(given, j));
        products = f64x2.add(products, f64x2.mul(pair, v128.load(at(line, j))));
        v128.store(at(gradient, j), f64x2.add(v128.load(at(gradient, j)), f64x2.mul(weight, pair)));
      }
      if (k < i) {
        const sum = f64x2.extract_lane(products, 0) + f64x2.extract_lane(products, 1);
        store<f32>(ofLower + entry, <f32>sum);
      }
    }
  }
  for (let k = 0; k < n; k++) {
    const gradient = gradients + <usize>k * bytes;
    const ofScale = load<f64>(at(diagonal, k)) * load<f64>(at(gradient, k)) + ofLogDet;
    store<f32>(ofLogScale + (<usize>k << 2), <f32>ofScale);
    for (let j = k + 1; j < n; j++) {
      store<f32>(ofUpper + (<usize>(k * n + j) << 2), <f32>load<f64>(at(gradient, j)));
    }
  }
}
