import type { JournalView } from "../../journal/journal.ts";
import type { Standing } from "../../journal/standing.ts";
import { notableBaselines } from "./notable-baselines.ts";
import { generationsIn, meanLosses, ofCandidate } from "../generation-losses.ts";
import type { ShortNames } from "./short-text.ts";
import { recordsBy, thinOut } from "./thin-out.ts";

/** Points of a plot; more of them than these no eye tells apart, and a page of them is slow. */
const MOST_POINTS = 1500;

/** A loss and what the search had cost by then, in passes of one merge over all search rows. */
export interface CostPoint {
  readonly work: number;
  readonly loss: number;
}

/** A candidate, or a model beside it, with its mean loss on each task. */
export interface TaskLosses {
  readonly losses: Readonly<Record<string, number>>;
}

/** How a search went: combined losses, of which 1 is the uniform average. Those of candidates are each on the fresh rows of its generation. */
export interface CourseView {
  readonly generations: number;
  /** Candidates that were scored, and how many of them have no finite loss. */
  readonly scored: number;
  readonly failed: number;
  /** Some of the candidates, where there are many. */
  readonly candidates: readonly CostPoint[];
  /** Every candidate that was better than all before it. */
  readonly best: readonly CostPoint[];
  /** What showed where the search was, a point for each generation, where that is no candidate. */
  readonly reference: readonly CostPoint[];
  /** Losses on the search rows of baselines, the best first, and of the winner where it was measured. */
  readonly baselines: readonly NamedLoss[];
  readonly winner: number | null;
}

export interface NamedLoss {
  readonly name: string;
  readonly loss: number;
}

/** Everything that a search scored, in the order in which it did. */
export interface SearchedCandidate extends CostPoint, TaskLosses {
  readonly isBeside: boolean;
}

/** Reads the losses of all candidates; `work` of one is what was spent when its turn in the generation was over. */
export function candidatesOf(view: JournalView): readonly SearchedCandidate[] {
  let work = 0;
  return generationsIn(view).flatMap(({ ask, result }) => {
    const { losses, reference, gradients } = result;
    const rowLosses = view.readNumbers(result.rowLosses);
    const began = work;
    work += result.work;
    return losses.map((loss, i) => ({
      work: began + (result.work * (i + 1)) / losses.length,
      loss,
      losses: meanLosses(ofCandidate(rowLosses, i, losses.length), ask.rows),
      // What walks is a candidate itself.
      isBeside: gradients === undefined && i === reference,
    }));
  });
}

export function courseOf(
  candidates: readonly SearchedCandidate[],
  standing: Pick<Standing, "baselines" | "verdict" | "winner" | "generations">,
  names: ShortNames,
): CourseView {
  const { winner, generations } = standing;
  const points = candidates.map(({ work, loss, isBeside }) => ({ work, loss, isBeside }));
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const ofSearch = finite.filter(({ isBeside }) => !isBeside).map(plain);
  return {
    generations,
    scored: points.length,
    failed: points.length - finite.length,
    candidates: thinOut(ofSearch, MOST_POINTS),
    best: thinOut(
      recordsBy(ofSearch, ({ loss }) => loss),
      MOST_POINTS,
    ),
    reference: thinOut(finite.filter(({ isBeside }) => isBeside).map(plain), MOST_POINTS),
    baselines: notableBaselines(standing)
      .map(({ name, loss }) => ({ name: names.of(name), loss }))
      .filter(({ loss }) => Number.isFinite(loss))
      .toSorted((a, b) => a.loss - b.loss),
    winner: winner && Number.isFinite(winner.loss) ? winner.loss : null,
  };
}

function plain({ work, loss }: CostPoint): CostPoint {
  return { work, loss };
}
