import type { ParentFacts } from "../merge/facts.ts";
import type { MergeParents } from "../merge/merge-tensor.ts";
import { mergesByRow } from "../merge/needs-of.ts";
import type { Step } from "../merge/recipe.ts";
import { WeightFacts } from "../merge/weight-facts.ts";
import type { Leaves } from "./leaves.ts";
import { type Loaded, storedIn } from "./loaded.ts";

/** What merges ask of weights beside their elements, by the weights' names: what is known of one stays known, leaves are on the device. */
export class KnownWeights {
  readonly #leaves: Leaves;
  /** Reads a weight of base and experts. */
  readonly #read: (name: string) => Promise<readonly Loaded[]>;
  readonly #facts = new Map<string, WeightFacts>();

  constructor(leaves: Leaves, read: (name: string) => Promise<readonly Loaded[]>) {
    this.#leaves = leaves;
    this.#read = read;
  }

  /** What a merge asks for of a weight that was prepared for it. */
  of(name: string, step: Step): Omit<MergeParents, "models" | "base" | "experts"> {
    return { ...this.#factsOf(name).of(step), leaves: this.#leaves.of(name, step) };
  }

  /** The same but for what is on the device: the weight is read for that unless it was. */
  async measure(name: string, step: Step): Promise<ParentFacts> {
    if (this.#factsOf(name).lacks(step)) await this.#learn([step], await this.#read(name));
    return this.#factsOf(name).of(step);
  }

  /** Whether merges of some rows of a weight are those rows of its merges, by what is known of it. */
  mergesByRow(name: string, steps: readonly Step[]): boolean {
    return steps.every((step) => mergesByRow(step) && !this.#factsOf(name).lacks(step));
  }

  /** Looks at a weight that was read for these merges. */
  async look(steps: readonly Step[], own: readonly Loaded[]): Promise<void> {
    await this.#learn(steps, own);
    await this.#leaves.put(own, steps);
  }

  /** What merges ask of a weight whose parents are on the device: those of another generation may ask for more. */
  async prepare(name: string, steps: readonly Step[]): Promise<void> {
    const lacking = steps.filter((step) => this.#factsOf(name).lacks(step) || this.#leaves.lacks(name, step));
    if (lacking.length > 0) await this.look(lacking, await this.#read(name));
  }

  #factsOf(name: string): WeightFacts {
    const known = this.#facts.get(name) ?? new WeightFacts();
    this.#facts.set(name, known);
    return known;
  }

  async #learn(steps: readonly Step[], [base, ...experts]: readonly Loaded[]): Promise<void> {
    if (!base) throw new Error("parents: there is no base");
    const { name, shape } = base.info;
    await this.#factsOf(name).learn(steps, shape, [storedIn(base), ...experts.map(storedIn)], { ahead: true });
  }
}
