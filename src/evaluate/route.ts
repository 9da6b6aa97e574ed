import type { RowRange } from "../device/row-blocks.ts";
import type { Step } from "../merge/recipe.ts";

/** What a weight is made of: the parents' weights of a name, and what is done with them. */
export interface WeightSource {
  readonly name: string;
  readonly step: Step;
  /** Whether the rows of tokens alone are read of it. */
  readonly isGathered?: boolean;
  /** Those that are needed, where that is not the whole weight. */
  readonly rows?: RowRange;
}

/** By what a pass knows a weight, or a block of its rows, which it has apart from the others. */
export function heldAs({ name, rows }: Pick<WeightSource, "name" | "rows">): string {
  return rows ? `${name}\n${rows.from}` : name;
}

/** What a pass reads of weights of which no stage reads more than the rows of tokens. */
export interface RowsRead {
  readonly names: ReadonlySet<string>;
  /** Their numbers, in ascending order. */
  readonly rows: Int32Array;
}

/** From the first stage to the last, or back, as derivatives go. */
export type Direction = "forward" | "backward";

/** A stage that comes later. */
export interface StageAhead {
  readonly index: number;
  /** Whether it is of the pass behind this one, which goes forward. */
  readonly isNextPass: boolean;
}

/** A block of the rows of a weight. */
interface WeightBlock {
  readonly name: string;
  readonly rows: Int32Array;
}

/** Which weights of the parents a pass needs at each of its stages, by what they are `heldAs`: their names in the checkpoints, if not blocks. */
export class Route {
  readonly stages: readonly (readonly string[])[];
  /** Weights of which no stage reads more than the rows of its tokens. */
  readonly gathered: ReadonlySet<string>;
  readonly #sources: readonly (readonly WeightSource[])[];
  readonly #rows: RowsRead | undefined;
  readonly #steps: readonly ReadonlyMap<string, readonly Step[]>[];
  readonly #blocks = new Map<string, WeightBlock>();
  /** First and last stage that needs a weight. */
  readonly #spans = new Map<string, { readonly first: number; readonly last: number }>();

  constructor(sources: readonly (readonly WeightSource[])[], rows?: RowsRead) {
    this.#sources = sources;
    this.#rows = rows;
    this.#steps = sources.map(stepsByName);
    this.stages = this.#steps.map((steps) => [...steps.keys()]);
    const read = new Set(sources.flat().flatMap((source) => (source.isGathered ? [] : [heldAs(source)])));
    for (const { name, rows: block } of sources.flat()) {
      if (block) this.#blocks.set(heldAs({ name, rows: block }), { name, rows: numbersOf(block) });
    }
    this.gathered = new Set(this.stages.flat().filter((name) => !read.has(name)));
    for (const [index, names] of this.stages.entries()) {
      for (const name of names) this.#spans.set(name, { first: this.#spans.get(name)?.first ?? index, last: index });
    }
  }

  /** The same where a pass reads some rows of some weights alone. */
  readingRows(rows: RowsRead | undefined): Route {
    return new Route(this.#sources, rows);
  }

  /** A weight's name in the checkpoints. */
  nameOf(name: string): string {
    return this.#blocks.get(name)?.name ?? name;
  }

  isBlock(name: string): boolean {
    return this.#blocks.has(name);
  }

  /** The rows that the pass reads of a weight; undefined where that is all of them. */
  rowsOf(name: string): Int32Array | undefined {
    const block = this.#blocks.get(name);
    if (block) return block.rows;
    return this.#rows?.names.has(name) ? this.#rows.rows : undefined;
  }

  /** All that is done with a weight. */
  stepsOf(name: string): readonly Step[] {
    return this.#steps.flatMap((steps) => steps.get(name) ?? []);
  }

  /** What is done with a weight at a stage. */
  stepsAt(index: number, name: string): readonly Step[] {
    return this.#steps[index]?.get(name) ?? [];
  }

  /** The stages that follow one, in this pass and in the next one; `turns` says of a pass forward that the way back follows. */
  behind(index: number, direction: Direction, turns: boolean): readonly StageAhead[] {
    const all = [...this.stages.keys()];
    const own = direction === "forward" ? all.slice(index + 1) : all.slice(0, index).toReversed();
    const back = turns ? all.slice(0, -1).toReversed() : [];
    const next = turns ? [] : all.slice(0, direction === "forward" ? index : undefined);
    return [
      ...[...own, ...back].map((stage) => ({ index: stage, isNextPass: false })),
      ...next.map((stage) => ({ index: stage, isNextPass: true })),
    ];
  }

  /** Whether a weight is needed at a stage, or before it and behind it: then it stays between. */
  spans(index: number, name: string): boolean {
    const { first, last } = this.#spans.get(name) ?? { first: Infinity, last: -Infinity };
    return first <= index && index <= last;
  }

  /** What a stage needs and no later one in that direction. */
  endingAt(index: number, direction: Direction): readonly string[] {
    const end = direction === "forward" ? "last" : "first";
    return (this.stages[index] ?? []).filter((name) => this.#spans.get(name)?.[end] === index);
  }
}

function stepsByName(sources: readonly WeightSource[]): ReadonlyMap<string, readonly Step[]> {
  const steps = new Map<string, Step[]>();
  for (const { step, ...source } of sources) {
    const name = heldAs(source);
    const known = steps.get(name);
    if (known) known.push(step);
    else steps.set(name, [step]);
  }
  return steps;
}

function numbersOf({ from, count }: RowRange): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => from + i);
}
