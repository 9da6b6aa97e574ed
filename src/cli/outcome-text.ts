import type { Outcome } from "../run/carry-on.ts";
import { alignedText } from "../report/text/text-table.ts";
import { wrapped } from "../report/text/wrapped.ts";
import { printableLine } from "../files/printable.ts";
import { tellFront } from "../report/front-rows.ts";
import { guardSentences, searchSentences } from "../report/search-sentences.ts";
import { textsSentence, textsTable } from "../report/texts-table.ts";
import { verdictSentences, verdictTable } from "../report/verdict-table.ts";

/** What a front is, where there is one. */
function frontLines({ front, winner, verdict, picks }: Outcome, width: number): string[] {
  if (!front) return [];
  const { sentence, table } = tellFront({ front: front.members, winner, ...(verdict && { verdict }), picks });
  return ["", ...wrapped(sentence, width, { indent: 2 }), alignedText(table, { width })];
}

/** What a finished run prints in lines of so many columns: every model on the guard rows, and what that says of the winner. */
export function outcomeText(outcome: Outcome, width = Infinity): string {
  const { experiment, winner, isCompared, verdict, front, texts, looks, generations, gaveUp } = outcome;
  const lines = (sentences: readonly string[]): string[] =>
    sentences.flatMap((sentence) => wrapped(printableLine(sentence), width, { indent: 2 }));
  const searched = searchSentences({ winner: winner.name, isCompared, generations, gaveUp });
  if (!verdict) {
    const unjudged = `winner: ${winner.name}; the budget had no time left to compare it on the guard rows`;
    return [...lines([unjudged, ...searched]), ...frontLines(outcome, width)].join("\n");
  }
  const tasks = experiment.tasks.map(({ name }) => name);
  const guard = verdict.models.find(({ kind }) => kind === "winner")?.loss ?? Number.NaN;
  const search = Number.isFinite(winner.loss) ? `was ${winner.loss.toFixed(3)}` : "was not measured";
  return [
    ...lines([
      "guard rows, which the search never saw (loss with 95 % interval; combined: 1 is the uniform average on the search rows)",
    ]),
    alignedText(verdictTable(verdict.models, tasks, looks), { width }),
    "",
    ...lines([...searched, ...guardSentences(verdict), ...verdictSentences(verdict, looks)]),
    ...frontLines(outcome, width),
    ...(texts ? ["", ...lines([textsSentence(texts)]), alignedText(textsTable(texts), { width })] : []),
    ...(front || texts ? [""] : []),
    ...lines([`The winner's combined loss ${search} on the search rows and is ${guard.toFixed(3)} on the guard rows.`]),
  ].join("\n");
}
