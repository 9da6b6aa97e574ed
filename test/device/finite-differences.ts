import * as fc from "fast-check";
import { expect } from "vitest";
import type { Device, DeviceDtype, DeviceTensor } from "../../src/device/device.ts";
import {
  add,
  dot,
  gatherRows,
  gelu,
  input,
  logProbability,
  matmul,
  mul,
  permute,
  reshape,
  rope,
  scale,
  scatterRows,
  silu,
  sub,
  sumTo,
  tanh,
  type Expression,
} from "../../src/device/expression.ts";
import { gradients } from "../../src/device/gradient.ts";
import { attention, linear, rmsNorm } from "../../src/device/layers.ts";
import { elementCount, type Shape } from "../../src/tensor/dtype.ts";
import { f32Bytes, f32Values, generator } from "./sample-values.ts";

/** 2 sequences of 3 tokens with 3 heads of 2. */
const [batch, length, heads, half] = [2, 3, 3, 1];
const [rows, width] = [batch * length, heads * 2 * half];

/** Along a direction of about length 1: less, and the digits of f32 would not show a difference. */
const STEP = 0.03;
/** Of derivatives of order 1; a wrong rule would be off by as much as they are. */
const ERROR = 3e-3;
/** Keeps norms of small rows smooth at the scale of a step. */
const EPSILON = 0.3;

/** What the derivatives are by. */
const sizes = { x: [rows, width], weight: [width, width], gain: [width] } satisfies Record<string, Shape>;
const names = Object.keys(sizes) as readonly (keyof typeof sizes)[];
type Point = Readonly<Record<keyof typeof sizes, Expression>>;
type Numbers = Readonly<Record<keyof typeof sizes, readonly number[]>>;

interface Constants {
  readonly mask: Expression;
  readonly positions: Expression;
  readonly periods: Expression;
  /** i32 [rows], some twice. */
  readonly places: Expression;
  /** i32 [rows]: each row's next, in a circle, and the one before it. */
  readonly next: Expression;
  readonly previous: Expression;
}

type Step = (h: Expression, point: Point, constants: Constants) => Expression;

function byHead(x: Expression): Expression {
  return reshape(x, [batch, length, heads, 2 * half]);
}

/** Each takes f32 [rows, width] and gives as much. */
const steps = {
  linear: (h, { weight }) => linear(h, weight),
  matmul: (h, { weight }) => matmul(h, weight),
  products: (h, { weight }) => matmul(weight, matmul(h, h, { transposeX: true }), { transposeX: true }),
  silu: (h) => silu(h),
  "gelu by the error function": (h) => gelu(h, "erf"),
  "gelu by a tanh": (h) => gelu(h, "tanh"),
  tanh: (h) => tanh(h),
  rmsNorm: (h, { gain }) => rmsNorm(h, gain, EPSILON),
  add: (h, { x }) => add(h, x),
  sub: (h, { x }) => sub(x, h),
  mul: (h, { x }) => mul(h, x),
  square: (h) => mul(h, h),
  scale: (h) => scale(h, -0.7),
  "sums of rows": (h) => sub(h, sumTo(h, [rows, 1])),
  "sums of columns": (h) => mul(h, sumTo(h, [1, width])),
  permute: (h) => reshape(permute(reshape(h, [rows, 2, width / 2]), [2, 0, 1]), [rows, width]),
  gatherRows: (h, _, { places }) => gatherRows(h, places),
  "gatherRows with an inverse": (h, _, { next, previous }) => gatherRows(h, next, previous),
  scatterRows: (h, _, { places }) => scatterRows(h, places, rows),
  rope: (h, _, { positions, periods }) =>
    reshape(rope(reshape(h, [rows, heads, 2 * half]), positions, periods), [rows, width]),
  attention: (h, { x, weight }, { mask }) =>
    attention({ query: byHead(h), key: byHead(linear(x, weight)), value: byHead(x), mask }, { factor: 0.6 }),
  "capped attention": (h, { x }, { mask }) =>
    attention({ query: byHead(x), key: byHead(h), value: byHead(h), mask }, { factor: 0.6, cap: 1.5 }),
} satisfies Record<string, Step>;
type StepName = keyof typeof steps;

interface Graph {
  /** Behind each stands a norm, which keeps numbers of order 1. */
  readonly names: readonly StepName[];
  readonly ends: "values" | "logProbability";
  readonly seed: number;
}

const graphs: fc.Arbitrary<Graph> = fc.record({
  names: fc.array(fc.constantFrom(...(Object.keys(steps) as StepName[])), { minLength: 1, maxLength: 4 }),
  ends: fc.constantFrom("values" as const, "logProbability" as const),
  seed: fc.nat(),
});

/** Compares derivatives of random graphs along a random direction with differences of the values on both sides of a point. */
export async function agreeWithDifferences(device: Device): Promise<void> {
  await fc.assert(
    fc.asyncProperty(graphs, async (graph) => {
      const trial = new Trial(device, graph);
      try {
        const expected = await trial.derivative();
        // Richardson's extrapolation: errors of the fourth order in the step.
        const found = (4 * (await trial.difference(STEP / 2)) - (await trial.difference(STEP))) / 3;
        expect(Math.abs(found - expected) / Math.max(1, Math.abs(expected))).toBeLessThanOrEqual(ERROR);
      } finally {
        trial.free();
      }
    }),
    { numRuns: 30 },
  );
}

/** A graph at a point, with a direction and the derivative of some loss by its output. */
class Trial {
  readonly #device: Device;
  readonly #graph: Graph;
  readonly #random: () => number;
  readonly #point: Numbers;
  readonly #direction: Numbers;
  readonly #targets: readonly number[];
  readonly #seed: readonly number[];
  readonly #tensors: DeviceTensor[] = [];

  constructor(device: Device, graph: Graph) {
    this.#device = device;
    this.#graph = graph;
    this.#random = generator(graph.seed);
    const { x, weight, gain } = sizes;
    this.#point = { x: this.#numbers(x), weight: this.#numbers(weight), gain: this.#numbers(gain) };
    this.#direction = { x: this.#numbers(x, 0.2), weight: this.#numbers(weight, 0.2), gain: this.#numbers(gain, 0.2) };
    this.#targets = this.#numbers([rows]).map((value) => Math.floor(((value + 1) / 2) * width));
    this.#seed = this.#numbers(graph.ends === "values" ? [rows, width] : [rows]);
  }

  /** Of the loss along the direction, by reverse mode. */
  async derivative(): Promise<number> {
    const point = await this.#at(0);
    const output = await this.#build(point);
    const seed = await this.#put(this.#seed, output.shape);
    const found = gradients([{ output, seed }], Object.values(point));
    const parts: number[] = [];
    for (const [i, name] of names.entries()) {
      const by = found[i];
      if (by) parts.push((await this.#valuesOf(dot(by, await this.#put(this.#direction[name], sizes[name]))))[0]!);
    }
    return parts.reduce((sum, part) => sum + part, 0);
  }

  async difference(step: number): Promise<number> {
    return ((await this.#loss(step)) - (await this.#loss(-step))) / (2 * step);
  }

  free(): void {
    this.#device.free(...this.#tensors.splice(0));
  }

  async #loss(distance: number): Promise<number> {
    const values = await this.#valuesOf(await this.#build(await this.#at(distance)));
    return values.reduce((sum, value, i) => sum + value * this.#seed[i]!, 0);
  }

  async #build(point: Point): Promise<Expression> {
    const mask = Array.from({ length: batch * length ** 2 }, (_, i) =>
      i % length <= Math.floor(i / length) % length ? 0 : -Infinity,
    );
    const constants = {
      mask: await this.#put(mask, [batch, length, length]),
      positions: await this.#putWhole([0, 1, 2, 0, 1, 7]),
      next: await this.#putWhole([1, 2, 3, 4, 5, 0]),
      previous: await this.#putWhole([5, 0, 1, 2, 3, 4]),
      periods: await this.#put([3], [half]),
      places: await this.#putWhole([4, 0, 0, 5, 2, 4]),
    };
    const last = this.#graph.names.reduce<Expression>(
      (h, name) => rmsNorm(steps[name](h, point, constants), point.gain, EPSILON),
      point.x,
    );
    return this.#graph.ends === "values" ? last : logProbability(last, await this.#putWhole(this.#targets));
  }

  async #at(distance: number): Promise<Point> {
    const shifted = (name: keyof typeof sizes): Promise<Expression> => {
      const values = this.#point[name].map((value, i) => value + distance * this.#direction[name][i]!);
      return this.#put(values, sizes[name]);
    };
    return { x: await shifted("x"), weight: await shifted("weight"), gain: await shifted("gain") };
  }

  #numbers(shape: Shape, size = 1): number[] {
    return Array.from({ length: elementCount(shape) }, () => size * this.#random());
  }

  async #valuesOf(output: Expression): Promise<Float32Array> {
    const [tensor] = await this.#device.run([output]);
    this.#tensors.push(tensor!);
    return f32Values(await this.#device.read(tensor!));
  }

  #put(values: readonly number[], shape: Shape): Promise<Expression> {
    return this.#upload(f32Bytes(values), "f32", shape);
  }

  #putWhole(values: readonly number[]): Promise<Expression> {
    return this.#upload(new Uint8Array(Int32Array.from(values).buffer), "i32", [values.length]);
  }

  async #upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<Expression> {
    const tensor = await this.#device.upload(bytes, dtype, shape);
    this.#tensors.push(tensor);
    return input(tensor);
  }
}
