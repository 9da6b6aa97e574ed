import type { Selection } from "../../src/evaluate/evaluator.ts";
import type { Candidate, Score } from "../../src/search/optimizer.ts";
import type { Genome } from "../../src/space/genome.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import type { Arm } from "./arms.ts";
import type { Problem } from "./problem.ts";
import { byChance, filled, spreads, tokensOf } from "./row-chances.ts";

/** Rows of a generation. */
export interface Drawn {
  /** Part of a pass over all search rows that they cost. */
  readonly share: number;
  readonly score: (genome: Genome, candidates: readonly Candidate[]) => Promise<readonly Score[]>;
}

/** As a run draws them. */
export function evenRows(problem: Problem, rows: Selection): Drawn {
  return {
    share: problem.share(rows),
    score: async (genome, candidates) => problem.scores(genome, candidates, rows),
  };
}

/** Draws rows by what was seen of them when they were met last. */
export class SeenRows {
  readonly #problem: Problem;
  readonly #by: Arm["drawnBy"];
  readonly #seed: number;
  readonly #seen = new Map<number, number>();

  constructor(problem: Problem, { drawnBy }: Arm, seed: number) {
    this.#problem = problem;
    this.#by = drawnBy;
    this.#seed = seed;
  }

  draw(fraction: number, generation: number): Drawn {
    const rows = this.#problem.searchRows;
    const stream = RandomStream.of(this.#seed, "weighted rows", generation);
    const drawn = byChance(rows, filled(rows, this.#seen), fraction)(stream);
    return {
      share: tokensOf(drawn.map(({ index }) => rows[index]!)) / tokensOf(rows),
      score: async (genome, candidates) => {
        const weighted = drawn.map(({ index, factor }) => ({ row: rows[index]!.row, factor }));
        const { scores, losses } = await this.#problem.weightedScores(genome, candidates, weighted);
        const seen = this.#by === "spread" ? spreads(losses) : losses[0]!;
        for (const [i, { index }] of drawn.entries()) this.#seen.set(index, seen[i]!);
        return scores;
      },
    };
  }
}
