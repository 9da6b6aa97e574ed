import { BASE } from "../experiment/the-base.ts";
import { printableLine } from "../files/printable.ts";
import type { Outcome } from "../run/carry-on.ts";
import { hasColumns, type Recipe, type StackRecipe } from "../merge/recipe.ts";
import { EVOLVED } from "../journal/records.ts";
import { declarationOf, methodName } from "../merge/declarations.ts";
import { columnsSentences } from "../report/columns-sentences.ts";
import { markdownTable, type Table } from "../report/table.ts";
import { lossSentence } from "../report/loss-sentence.ts";
import { guardSentences, searchSentences } from "../report/search-sentences.ts";
import type { FrontRow } from "../report/front-rows.ts";
import { lossCell } from "../report/task-columns.ts";
import { verdictSentences, verdictTable } from "../report/verdict-table.ts";
import { cardHead, linkOf, oneLine } from "./card-parts.ts";
import { mergedLicence } from "./licence.ts";
import type { PickedOutcome } from "./picked.ts";
import { lmEvalCommand } from "./lm-eval-command.ts";

export interface CardFacts {
  readonly weightsDigest: string;
  /** Of evomerge. */
  readonly version: string;
  /** How the run was carried out: `runFacts`. */
  readonly run: readonly string[];
  /** Licences by the names of base and experts; undefined where none is stated. */
  readonly licences: ReadonlyMap<string, string | undefined>;
}

/** The README.md of an exported model: what it is made of, how, and how it compares with what it is made of. */
export function modelCard(outcome: PickedOutcome, { weightsDigest, version, run, licences }: CardFacts): string {
  const { experiment, winner, verdict, pick } = outcome;
  const parents = [{ name: BASE, path: experiment.base }, ...experiment.experts];
  const licence = mergedLicence(new Map(parents.map(({ name }) => [name, licences.get(name)])));
  return `---
${cardHead(parents, licence)}---

# ${oneLine(experiment.name)}: ${winner.name}

${pick ? whatWasPicked(pick, outcome) : whatItIs(winner)} evomerge ${version}, without training, from these models:

${parents.map(({ name, path }) => `- ${name}: ${linkOf(path)}, licence ${licences.get(name) ?? "not stated"}`).join("\n")}

## Licence

${licence.note}

## Recipe

${recipeText(winner.recipe)}
The exact coefficients are in \`recipe.json\`. Digest of the weights: \`${weightsDigest}\`.

## Search

${[...run, ...outcome.drawn].map((line) => `- ${printableLine(line)}`).join("\n")}

## Scores on rows that the search never saw

${pick ? `${pickText(pick, experiment.tasks)}\n\n` : ""}${verdict ? verdictText(verdict, outcome) : pick ? "" : notCompared(outcome)}

## Evaluation

\`\`\`
${lmEvalCommand(".")}
\`\`\`
`;
}

/** The same of what was picked from a front. */
function whatWasPicked({ place, names, of }: FrontRow, { front }: Outcome): string {
  const which = names.length > 0 ? ` (${names.join(", ")})` : "";
  return `Number ${place} of the ${front?.members.length ?? 0} on the front of the tasks${which}, ${of}, picked by hand from what was found by`;
}

/** What the guard rows say of it. */
function pickText({ judged, scores }: FrontRow, tasks: Outcome["experiment"]["tasks"]): string {
  const named = tasks.map(({ name }) => name);
  const searched = named.map((task) => `${task} ${scores[task]?.loss.toFixed(3)}`).join(", ");
  if (!judged)
    return `The guard rows never judged this one. Its losses on the search rows, which it was picked by: ${searched}.`;
  const guarded = named.map((task) => `${task} ${lossCell(judged, task)}`).join(", ");
  return `Its losses on the guard rows, with 95 % intervals: ${guarded}; combined ${judged.loss.toFixed(3)}. On the search rows, which it was picked by: ${searched}.`;
}

/** The beginning of a sentence: a search may have found nothing better, or not have been run. */
function whatItIs({ name, recipe }: Outcome["winner"]): string {
  if (name === EVOLVED) return "The best merge that was found by";
  return recipe.method === "passthrough"
    ? "One of its parents as it is, the best of what was scored by"
    : "The best of the simple merges that were scored by";
}

function notCompared({ winner, ...search }: Outcome): string {
  const searched = searchSentences({ ...search, winner: winner.name });
  return ["Not compared: the run had not scored its guard rows when this was exported.", ...searched].join("\n");
}

function verdictText(
  verdict: NonNullable<Outcome["verdict"]>,
  { experiment: { tasks }, winner, looks, ...search }: Outcome,
): string {
  const sentences = [
    ...searchSentences({ ...search, winner: winner.name }),
    ...guardSentences(verdict),
    ...verdictSentences(verdict, looks),
  ];
  return `${lossSentence(tasks, verdict.models[0]?.scores ?? {})}
Losses: lower is better, with 95 % intervals; combined is 1 for the uniform average on the search rows. Gains are the winner's over the model of the row, paired by row;
rows of one group count once, and p-values are corrected for the number of models (Holm). Percentages are of the other model's loss.

${markdownTable(
  verdictTable(
    verdict.models,
    tasks.map(({ name }) => name),
    looks,
  ),
)}

${sentences.map((sentence) => `- ${sentence}`).join("\n")}`;
}

function recipeText(recipe: Recipe): string {
  if (recipe.method === "passthrough") return `The weights are those of ${recipe.model}, unchanged.\n`;
  if (recipe.method === "stack") return stackText(recipe);
  const { summary, source, parameters } = declarationOf(recipe.method);
  const of = hasColumns(recipe) ? "mean over the layers, from which columns deviate" : "mean over the layers";
  const tables = Object.entries(recipe.parameters).map(([parameter, curves]) => {
    // One of the whole model has the same curve for each expert.
    const isShared = parameters.some(({ name, per }) => name === parameter && per === "model");
    const shown = <T>(experts: readonly T[]): readonly T[] => experts.slice(0, isShared ? 1 : undefined);
    const owners = Object.keys(Object.values(curves)[0] ?? {});
    const table: Table = {
      header: [`${parameter} (${of})`, ...(isShared ? ["all experts"] : owners)],
      rows: Object.entries(curves).map(([group, experts]) => [
        group,
        ...shown(Object.values(experts)).map(({ layers, rest }) =>
          (layers.length > 0 ? average(layers) : rest).toFixed(3),
        ),
      ]),
    };
    return markdownTable(table);
  });
  const head = `Method \`${methodName(recipe.method)}\`: ${summary} (${source}).`;
  const formula =
    typeof recipe.method === "string"
      ? []
      : [
          "It is a plugin's, and none that mergekit has; recipe.json has its formula, by which `evomerge merge` merges without the plugin.",
        ];
  return [head, ...formula, ...tables, ...columnsSentences(recipe)].map((paragraph) => `${paragraph}\n`).join("\n");
}

function stackText({ layers, rest }: StackRecipe): string {
  const table: Table = {
    header: ["layer", "of", "its layer", "scale"],
    rows: layers.map(({ model, layer, scale }, i) => [String(i), model, String(layer), scale.toFixed(3)]),
  };
  const head = `Layers of the parents, one behind the other (Akiba et al. 2024, arXiv:2403.13187): what a layer adds to the hidden states is multiplied by its scale, which is in its weights. All other weights are those of ${rest}.`;
  return `${head}\n\n${markdownTable(table)}\n`;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
