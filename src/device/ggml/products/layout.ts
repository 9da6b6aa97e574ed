/** Where the elements of an expression lie, of which permutations and reshapes move none. */
import type { Shape } from "../../../tensor/dtype.ts";
import type { Expression } from "../../expression.ts";

/** A loop over elements: how many, and how many elements of memory lie from one to the next. */
export interface Loop {
  readonly size: number;
  readonly stride: number;
}

export interface Stored {
  /** What lies in memory, element after element. */
  readonly tensor: Expression;
  /** For each dimension the loops over it, outermost first; a dimension of one element has none. */
  readonly dimensions: readonly (readonly Loop[])[];
}

/** The layout over the innermost expression that is computed. */
export function layoutOf(x: Expression): Stored {
  if (x.op === "permute") {
    const { tensor, dimensions } = layoutOf(x.x);
    return { tensor, dimensions: x.order.map((from) => dimensions[from] ?? []) };
  }
  if (x.op === "reshape") {
    const { tensor, dimensions } = layoutOf(x.x);
    const regrouped = regroup(dimensions.flat(), x.shape);
    if (regrouped) return { tensor, dimensions: regrouped };
  }
  return asStored(x);
}

/** The layout of an expression that is computed as it stands. */
export function asStored(tensor: Expression): Stored {
  let stride = 1;
  const dimensions = tensor.shape.toReversed().map((size) => {
    const loops = size === 1 ? [] : [{ size, stride }];
    stride *= size;
    return loops;
  });
  return { tensor, dimensions: dimensions.toReversed() };
}

/** The same loops in the dimensions of a shape; undefined where one of them does not divide into these. */
function regroup(loops: readonly Loop[], shape: Shape): Loop[][] | undefined {
  const rest = [...loops];
  const dimensions: Loop[][] = [];
  for (const size of shape.toReversed()) {
    const dimension: Loop[] = [];
    for (let left = size; left > 1;) {
      const loop = rest.pop();
      if (!loop) return undefined;
      const taken = Math.min(left, loop.size);
      if (left % taken !== 0 || loop.size % taken !== 0) return undefined;
      if (taken < loop.size) rest.push({ size: loop.size / taken, stride: loop.stride * taken });
      const [within] = dimension;
      if (within && loop.stride === within.stride * within.size) {
        dimension[0] = { size: within.size * taken, stride: within.stride };
      } else dimension.unshift({ size: taken, stride: loop.stride });
      left /= taken;
    }
    dimensions.unshift(dimension);
  }
  return dimensions;
}
