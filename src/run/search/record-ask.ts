import { UserError } from "../../errors.ts";
import type { Selection } from "../../evaluate/evaluator.ts";
import type { RowCounts } from "../../journal/records.ts";
import type { Candidate } from "../../search/optimizer.ts";
import { stratifiedSubset } from "../../tasks/subset.ts";
import { joined, sameBits } from "../../tensor/float64.ts";
import { RandomStream } from "../../tensor/random.ts";
import { gradientParts } from "../estimates/costs.ts";
import type { Plan } from "./plan-search.ts";
import { frontKindOf, generationKind } from "../estimates/search-kind.ts";
import { nextCounts, plannedCounts } from "./search-room.ts";
import type { SearchState } from "./search-state.ts";
import type { Session } from "../session/session.ts";

/** The rows of a generation, and in how many parts of them gradients are recorded. */
export interface AskedRows {
  readonly rows: Selection;
  readonly counts: RowCounts;
  readonly parts: number;
}

/** Writes points and rows down before they are scored; a replayed search must ask for the very same points. */
export async function recordAsk(
  session: Session,
  plan: Plan,
  search: SearchState,
  candidates: readonly Candidate[],
): Promise<AskedRows> {
  const { recorder } = session;
  const { replaying } = recorder;
  const { generation } = search.optimizer;
  // What survives is compared with what is scored later.
  const meeting = frontKindOf(session) === "survivors" ? 0 : generation;
  const rowsOf = (counts: RowCounts): Selection => freshRows(session, counts, meeting);
  const points = joined(candidates.map(({ point }) => point));
  const asked = await recorder.step("ask", async () => {
    const rows = nextCounts(session, plan, search) ?? plannedCounts(session, plan, search);
    const parts = partsFor(session, candidates.length, rowsOf(rows));
    return { generation, points: recorder.storeNumbers(points), rows, ...(parts > 1 && { parts }) };
  });
  if (replaying && !sameBits(recorder.readPoints(asked.points), points)) {
    throw new UserError(
      `${recorder.folder}: generation ${generation} of the journal has other genes than evomerge proposes here; resume with the versions that its first record names`,
    );
  }
  return { rows: rowsOf(asked.rows), counts: asked.rows, parts: asked.parts ?? 1 };
}

/** Scores, unlike sums of gradients, have the same bits in any parts; the clock decides on these as they are made. */
function partsFor(session: Session, models: number, rows: Selection): number {
  if (!generationKind(session).usesGradients) return 1;
  const { leastParts } = session;
  // As many for each of those that share them.
  const parts = leastParts * Math.ceil(gradientParts(session, models, rows) / leastParts);
  return Math.min(Object.values(rows).flat().length, parts);
}

/** The rows that a generation meets, so many of each task: the same ones for whoever asks. */
export function freshRows(
  { tasks, experiment }: { readonly tasks: Session["tasks"]; readonly experiment: Pick<Session["experiment"], "seed"> },
  counts: RowCounts,
  generation: number,
): Selection {
  return Object.fromEntries(
    tasks.map(({ name, search }) => [
      name,
      stratifiedSubset(
        search,
        Math.min(1, (counts[name] ?? 0) / search.length),
        RandomStream.of(experiment.seed, "rows", name, generation),
      ),
    ]),
  );
}
