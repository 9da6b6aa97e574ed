import { cosine, sine } from "../tensor/elementary.ts";

/** A number with its derivatives by some inputs, which arithmetic carries along: forward-mode differentiation. */
export class Dual {
  readonly value: number;
  /** By each input; those behind the end are 0. */
  readonly slopes: readonly number[];

  constructor(value: number, slopes: readonly number[] = []) {
    this.value = value;
    this.slopes = slopes;
  }

  /** The input of that index. */
  static input(value: number, index: number): Dual {
    return new Dual(value, [...Array.from({ length: index }, () => 0), 1]);
  }

  static sum(terms: readonly Dual[]): Dual {
    return terms.reduce((total, term) => total.plus(term), new Dual(0));
  }

  plus(other: Dual | number): Dual {
    const { value, slopes } = lifted(other);
    return new Dual(this.value + value, combined(this.slopes, 1, slopes, 1));
  }

  minus(other: Dual | number): Dual {
    const { value, slopes } = lifted(other);
    return new Dual(this.value - value, combined(this.slopes, 1, slopes, -1));
  }

  times(other: Dual | number): Dual {
    const { value, slopes } = lifted(other);
    return new Dual(this.value * value, combined(this.slopes, value, slopes, this.value));
  }

  over(other: Dual | number): Dual {
    const { value, slopes } = lifted(other);
    const ratio = this.value / value;
    return new Dual(ratio, combined(this.slopes, 1 / value, slopes, -ratio / value));
  }

  /** Of a positive number. */
  root(): Dual {
    const root = Math.sqrt(this.value);
    return new Dual(root, combined(this.slopes, 1 / (2 * root)));
  }

  sine(): Dual {
    return new Dual(sine(this.value), combined(this.slopes, cosine(this.value)));
  }
}

function lifted(x: Dual | number): Dual {
  return typeof x === "number" ? new Dual(x) : x;
}

function combined(x: readonly number[], byX: number, y: readonly number[] = [], byY = 0): number[] {
  return Array.from({ length: Math.max(x.length, y.length) }, (_, i) => (x[i] ?? 0) * byX + (y[i] ?? 0) * byY);
}
