import type { Candidate, Optimizer, OptimizerOptions, Restart, Score } from "../search/optimizer.ts";
import type { OptimizerKind } from "../search/optimizers.ts";
import { RandomStream } from "../tensor/random.ts";
import { callPlugin, found } from "./call-plugin.ts";
import type { OptimizerPlugin } from "./plugin.ts";

/** An optimizer of a plugin as a search takes it: what it says is checked before anything is scored by it. */
export function pluginOptimizer(name: string, plugin: OptimizerPlugin): OptimizerKind {
  const { population, beside, usesGradients } = plugin;
  return {
    ...(beside && { beside }),
    usesGradients,
    population:
      population === "one point"
        ? population
        : (dimension) =>
            callPlugin(
              `the optimizer ${name}: population`,
              () => population(dimension),
              (size) =>
                Number.isInteger(size) && size >= 2 && size <= 10_000
                  ? undefined
                  : found("a whole number from 2 to 10000", size),
            ),
    create: (options) => new CheckedOptimizer(name, plugin, options),
  };
}

const METHODS = ["ask", "tell", "recommend"] as const;

class CheckedOptimizer implements Optimizer {
  readonly #name: string;
  readonly #kind: OptimizerPlugin;
  readonly #dimension: number;
  readonly #own: Optimizer;

  constructor(name: string, kind: OptimizerPlugin, options: OptimizerOptions) {
    [this.#name, this.#kind, this.#dimension] = [`the optimizer ${name}`, kind, options.start.length];
    const random = RandomStream.of(options.seed, "plugin", name);
    this.#own = callPlugin(
      `${this.#name}: create`,
      () => kind.create(options, random),
      (own) =>
        METHODS.every((method) => typeof own?.[method] === "function")
          ? undefined
          : found("an object with ask, tell and recommend", own),
    );
  }

  get generation(): number {
    return this.#checked("generation", () => this.#own.generation, isCount);
  }

  get candidates(): number {
    return this.#checked("candidates", () => this.#own.candidates, isCount);
  }

  get converged(): boolean {
    return this.#checked("converged", () => this.#own.converged, isFlag);
  }

  get isStuck(): boolean {
    return this.#checked("isStuck", () => this.#own.isStuck ?? false, isFlag);
  }

  get restart(): Restart | undefined {
    return this.#checked(
      "restart",
      () => this.#own.restart,
      (restart) => restart?.rivals.map((point) => this.#whyNoPoint(point)).find((why) => why !== undefined),
    );
  }

  ask(): readonly Candidate[] {
    const { candidates } = this;
    return this.#checked(
      "ask",
      () => this.#own.ask().map((candidate) => ({ ...candidate, point: candidate.point.slice() })),
      (asked) => {
        if (asked.length !== candidates) return `the ${candidates} candidates that it says, found ${asked.length}`;
        const references = asked.filter(({ isReference }) => isReference).length;
        if (references !== 1) return `one candidate that isReference, found ${references}`;
        const { usesGradients } = this.#kind;
        const other = asked.find(({ wantsGradient }) => wantsGradient !== usesGradients);
        if (other) return found(`wantsGradient ${usesGradients}, as its usesGradients`, other.wantsGradient);
        return asked.map(({ point }) => this.#whyNoPoint(point)).find((why) => why !== undefined);
      },
    );
  }

  tell(scores: readonly Score[], spent: number): void {
    this.#checked(
      "tell",
      () => this.#own.tell(scores, spent),
      () => undefined,
    );
  }

  recommend(): Float64Array {
    return this.#checked(
      "recommend",
      () => this.#own.recommend().slice(),
      (point) => this.#whyNoPoint(point),
    );
  }

  #checked<T>(what: string, call: () => T, whyNot: (value: T) => string | undefined): T {
    return callPlugin(`${this.#name}: ${what}`, call, whyNot);
  }

  #whyNoPoint(point: unknown): string | undefined {
    if (!(point instanceof Float64Array) || point.length !== this.#dimension)
      return found(`a Float64Array of ${this.#dimension} numbers`, point);
    const outside = point.find((value) => !(value >= 0 && value <= 1));
    return outside === undefined ? undefined : found("numbers from 0 to 1", outside);
  }
}

function isCount(value: unknown): string | undefined {
  return Number.isInteger(value) && Number(value) >= 0 ? undefined : found("a whole number", value);
}

function isFlag(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : found("true or false", value);
}
