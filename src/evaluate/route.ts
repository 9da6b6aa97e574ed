/** From the first stage to the last, or back, as derivatives go. */
export type Direction = "forward" | "backward";

/** Which weights of the parents a pass needs at each of its stages, by their names in the checkpoints. */
export class Route {
  readonly stages: readonly (readonly string[])[];
  /** First and last stage that needs a weight. */
  readonly #spans = new Map<string, { readonly first: number; readonly last: number }>();

  constructor(stages: readonly Iterable<string>[]) {
    this.stages = stages.map((names) => [...new Set(names)]);
    for (const [index, names] of this.stages.entries()) {
      for (const name of names) this.#spans.set(name, { first: this.#spans.get(name)?.first ?? index, last: index });
    }
  }

  /** What a stage needs and no later one in that direction. */
  endingAt(index: number, direction: Direction): readonly string[] {
    const end = direction === "forward" ? "last" : "first";
    return (this.stages[index] ?? []).filter((name) => this.#spans.get(name)?.[end] === index);
  }
}
