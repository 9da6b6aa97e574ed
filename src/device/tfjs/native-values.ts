import * as tf from "@tensorflow/tfjs-core";
import { elementCount, sameShape, type Shape } from "../../tensor/dtype.ts";
import type { Expression } from "../expression.ts";
import type { Computation, Computed, LoweringRun } from "./lowering.ts";
import type { NativeOperations } from "./native-operations.ts";

/** Makes one value at once; what else it makes is disposed of. */
export type NativeLowering<Op extends Computed> = (node: Computation<Op>, values: NativeValues) => tf.Tensor;

export type NativeLowerings<Op extends Computed = Computed> = { readonly [Own in Op]?: NativeLowering<Own> };

/**
 * The computed values of nodes. A value has a node's elements in their order and may have another shape: that of what it was made
 * from, so that nothing is computed for a reshape but where an operation needs the shape.
 */
export class NativeValues {
  readonly run: LoweringRun;
  readonly operations: NativeOperations;

  constructor(run: LoweringRun, operations: NativeOperations) {
    this.run = run;
    this.operations = operations;
  }

  /** Of any shape: for what is computed element by element. */
  of(node: Expression): tf.Tensor {
    return this.run.of(node);
  }

  shaped(node: Expression): tf.Tensor {
    const value = this.of(node);
    if (sameShape(value.shape, node.shape)) return value;
    // In the memory of the value.
    return this.once(node, "shaped", () => this.operations.reshape(value, node.shape), 0);
  }

  /** Of any shape with the node's first dimension. */
  inRows(node: Expression): tf.Tensor {
    const value = this.of(node);
    return value.shape[0] === node.shape[0] ? value : this.shaped(node);
  }

  /** Of any shape with the node's last dimension. */
  inColumns(node: Expression): tf.Tensor {
    const value = this.of(node);
    return value.shape.at(-1) === node.shape.at(-1) ? value : this.shaped(node);
  }

  /** Nodes of one shape, in the shape of the first one's value. */
  alike(...nodes: readonly Expression[]): tf.Tensor[] {
    const [first, ...others] = nodes.map((node) => this.of(node));
    if (!first) return [];
    return [first, ...others.map((value) => this.operations.reshape(value, first.shape))];
  }

  /** Two nodes of one shape, for operations that repeat nothing, not even along dimensions of 1. */
  alikePair(x: Expression, y: Expression): [tf.Tensor, tf.Tensor] {
    const left = this.of(x);
    return [left, this.operations.reshape(this.of(y), left.shape)];
  }

  /** Two nodes that are computed with each other, the second repeated where it has a size of 1. */
  pair(x: Expression, y: Expression): [tf.Tensor, tf.Tensor] {
    const [left, right] = [this.of(x), this.of(y)];
    if (sameShape(x.shape, y.shape)) {
      return sameShape(inside(left), inside(right))
        ? [left, right]
        : [left, this.operations.reshape(right, left.shape)];
    }
    const width = y.shape.at(-1);
    const isRow = elementCount(y.shape) === width && right.rank <= left.rank;
    const fits = right.shape.at(-1) === width && left.shape.at(-1) === x.shape.at(-1);
    return isRow && fits ? [left, right] : [this.shaped(x), this.shaped(y)];
  }

  /** What is made of a node's value for all that need it in this run. An input stays for longer: of it, each makes its own. */
  once(node: Expression, name: string, make: () => tf.Tensor, bytesPerElement?: number): tf.Tensor {
    return node.op === "input" ? make() : this.run.memory.derived(this.of(node), name, make, bytesPerElement);
  }

  /** Waits for what is made of nodes in their shapes, and disposes of what was made for that. */
  async whileShaped<T>(nodes: readonly Expression[], work: (...shaped: tf.Tensor[]) => Promise<T>): Promise<T> {
    const shaped = nodes.map((node) => [node, this.shaped(node)] as const);
    try {
      return await work(...shaped.map(([, value]) => value));
    } finally {
      const made = shaped.filter(([node, value]) => node.op === "input" && value !== this.of(node));
      tf.dispose(made.map(([, value]) => value));
    }
  }
}

/** The shape without the dimensions of 1 that it begins with. */
function inside({ shape }: tf.Tensor): Shape {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
}
