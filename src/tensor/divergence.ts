/** How far the rows of a tensor are from those of another, as distributions: the softmax of each. */
import { setImmediate } from "node:timers/promises";
import { bytesPerElement } from "./dtype.ts";
import { expWithinOne, ln } from "./elementary.ts";
import type { StoredValues } from "./stored-values.ts";
import { toFloat32 } from "./half.ts";

/** Elements after which the event loop gets its turn. */
const PIECE = 2 ** 19;
/** Of exponents that are looked up; between two of them there is a polynomial. */
const STEP = Math.LN2 / 32;
const PER_STEP = 32 / Math.LN2;
/** exp(-i STEP): down to 2^-64, below which a part of a distribution counts as none. */
const powers = Float64Array.from({ length: 2048 }, (_, i) => expWithinOne(-(i % 32) * STEP) * 2 ** -Math.floor(i / 32));
/** Below this a logarithm's own series has more digits than the difference that it stands for. */
const NEAR = 1 / 32;

/**
 * KL(softmax(x) || softmax(base)) of each row of that width, in nats: of additions, multiplications, divisions and square roots in a fixed order, so that other
 * machines and languages have the same bits. Equal rows have 0, and the least difference is not lost: terms are never negative.
 */
export async function rowDivergences(base: StoredValues, x: StoredValues, width: number): Promise<Float64Array> {
  const rows = x.bytes.length / bytesPerElement[x.dtype] / width;
  const found = new Float64Array(rows);
  const rowOf = ({ bytes, dtype }: StoredValues, row: number): Float32Array =>
    toFloat32(bytes.subarray(row * width * bytesPerElement[dtype], (row + 1) * width * bytesPerElement[dtype]), dtype);
  const [own, other] = [new Softmax(width), new Softmax(width)];
  const atOnce = Math.ceil(PIECE / width);
  for (let row = 0; row < rows; row += 1) {
    if (row > 0 && row % atOnce === 0) await setImmediate();
    found[row] = own.of(rowOf(x, row)).divergence(other.of(rowOf(base, row)));
  }
  return found;
}

/** The softmax of a row: what is held is used anew for the next. */
class Softmax {
  readonly #terms: Float64Array;
  readonly #parts: Float64Array;
  #values: Float32Array = new Float32Array(0);
  /** Logarithm of the sum of the exponentials. */
  #logSum = 0;

  constructor(width: number) {
    this.#parts = new Float64Array(width);
    this.#terms = new Float64Array(2 ** Math.ceil(Math.log2(width)));
  }

  of(values: Float32Array): this {
    let most = values[0]!;
    for (const value of values) if (value > most) most = value;
    for (let i = 0; i < values.length; i += 1) this.#parts[i] = expOf(values[i]! - most);
    const sum = this.#sum(this.#parts);
    for (let i = 0; i < values.length; i += 1) this.#parts[i]! /= sum;
    this.#values = values;
    this.#logSum = most + ln(sum);
    return this;
  }

  /** Sum of p ln(p / q) - p + q, whose terms are all positive, with w = ln(q / p): p (exp(w) - 1 - w). */
  divergence(other: Softmax): number {
    const [p, q, x, y] = [this.#parts, other.#parts, this.#values, other.#values];
    const shift = this.#logSum - other.#logSum;
    for (let i = 0; i < p.length; i += 1) {
      const w = y[i]! - x[i]! + shift;
      this.#terms[i] = w >= -NEAR && w <= NEAR ? p[i]! * excessOf(w) : q[i]! - p[i]! - p[i]! * w;
    }
    return this.#sum(this.#terms.subarray(0, p.length));
  }

  /** Halves are added to each other, until one number is left. */
  #sum(values: Float64Array): number {
    const terms = this.#terms;
    if (values.buffer !== terms.buffer) terms.set(values);
    terms.fill(0, values.length);
    for (let half = terms.length / 2; half >= 1; half /= 2)
      for (let i = 0; i < half; i += 1) terms[i]! += terms[half + i]!;
    return terms[0]!;
  }
}

/** exp of a number that is not positive, to a few units in the last place. */
function expOf(x: number): number {
  const steps = Math.floor(0.5 - x * PER_STEP);
  if (steps >= powers.length) return 0;
  const r = x + steps * STEP;
  return powers[steps]! * (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720)))))));
}

/** exp(w) - 1 - w of a small number. */
function excessOf(w: number): number {
  return (
    w * w * (1 / 2 + w * (1 / 6 + w * (1 / 24 + w * (1 / 120 + w * (1 / 720 + w * (1 / 5040 + w * (1 / 40_320)))))))
  );
}
