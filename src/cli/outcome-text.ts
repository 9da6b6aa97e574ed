import type { Outcome } from "../run/run-experiment.ts";
import { alignedText } from "../report/table.ts";
import { guardSentences, searchSentences } from "../report/search-sentences.ts";
import { textsSentence, textsTable } from "../report/texts-table.ts";
import { verdictSentences, verdictTable } from "../report/verdict-table.ts";

/** What a finished run prints: every model on the guard rows, and what that says of the winner. */
export function outcomeText(outcome: Outcome): string {
  const { experiment, winner, isCompared, verdict, texts, looks, generations, gaveUp } = outcome;
  const searched = searchSentences({ winner: winner.name, isCompared, generations, gaveUp });
  if (!verdict) {
    return [`winner: ${winner.name}; the budget ended before it was compared on the guard rows`, ...searched].join(
      "\n",
    );
  }
  const tasks = experiment.tasks.map(({ name }) => name);
  const guard = verdict.models.find(({ kind }) => kind === "winner")?.loss ?? Number.NaN;
  const search = Number.isFinite(winner.loss) ? `was ${winner.loss.toFixed(3)}` : "was not measured";
  return [
    "guard rows, which the search never saw (loss with 95 % interval; combined: 1 is the uniform average on the search rows)",
    alignedText(verdictTable(verdict.models, tasks, looks)),
    "",
    ...searched,
    ...guardSentences(verdict),
    ...verdictSentences(verdict, looks),
    ...(texts ? ["", textsSentence(texts), alignedText(textsTable(texts)), ""] : []),
    `The winner's combined loss ${search} on the search rows and is ${guard.toFixed(3)} on the guard rows.`,
  ].join("\n");
}
