/** What only derivatives consist of, in few operations. */
import { normalizeBackNatively } from "./native-norm.ts";
import type { NativeLowerings } from "./native-values.ts";

export const backwardLowerings = {
  /** g s + g x s (1 - s), s the share */
  siluBack: ({ g, x }, values) => {
    const { operations } = values;
    const [passed, own] = values.alikePair(g, x);
    const share = operations.unary("Sigmoid", own);
    const behind = operations.passBack("SigmoidGrad", share, operations.binary("Mul", passed, own));
    return operations.binary("AddV2", operations.binary("Mul", passed, share), behind);
  },
  reluBack: ({ g, x }, values) => values.operations.passBack("ReluGrad", ...values.alikePair(g, x)),
  normalizeBack: normalizeBackNatively,
  softmaxBack: ({ g, result, factor }, values) => {
    const { operations } = values;
    const passed = values.inColumns(g);
    const own = operations.reshape(values.of(result), passed.shape);
    const along = operations.reduce("Sum", operations.binary("Mul", passed, own), [own.rank - 1]);
    const scaled = operations.binary("Mul", operations.binary("Sub", passed, along), own);
    return factor === 1 ? scaled : operations.binary("Mul", scaled, operations.raw.number(factor));
  },
  // Row by row first: one sum after the other would lose digits over millions of elements.
  dot: ({ x, y }, values) => {
    const { operations } = values;
    const product = operations.binary("Mul", ...values.pair(x, y));
    const rows = operations.reduce("Sum", product, [product.rank - 1]);
    return operations.reduce("Sum", rows, [...rows.shape.keys()]);
  },
} satisfies NativeLowerings;
