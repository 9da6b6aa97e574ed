import type { Budget } from "../experiment/experiment-file.ts";
import type { Outcome } from "../run/run-experiment.ts";
import type { Recipe } from "../merge/recipe.ts";
import { declarations } from "../merge/declarations.ts";
import { markdownTable, verdictSentences, verdictTable, type Table } from "../report/verdict-table.ts";
import { lmEvalCommand } from "./lm-eval-command.ts";

/** The README.md of an exported model: what it is made of, how, and how it compares with what it is made of. */
export function modelCard(outcome: Outcome, weightsDigest: string, version: string): string {
  const { experiment, winner, verdict } = outcome;
  const parents = [{ name: "base", path: experiment.base }, ...experiment.experts];
  const tasks = experiment.tasks.map(({ name }) => name);
  return `---
library_name: transformers
tags: [merge, evomerge]
---

# ${experiment.name}: ${winner.name}

The best merge that evomerge ${version} found of these models, without training; the licence is theirs:

${parents.map(({ name, path }) => `- ${name}: \`${path}\``).join("\n")}

## Recipe

${recipeText(winner.recipe)}
The exact coefficients are in \`recipe.json\`. Search seed ${experiment.seed}, budget ${budgetText(experiment.budget)}.
Digest of the weights: \`${weightsDigest}\`.

## Scores on rows that the search never saw

${verdict ? verdictText(verdict.models, tasks) : "Not compared: the run had not scored its guard rows when this was exported."}

## Evaluation

\`\`\`
${lmEvalCommand(".")}
\`\`\`
`;
}

function budgetText(budget: Budget): string {
  return "seconds" in budget ? `${budget.seconds} s` : `${budget.evaluations} evaluations`;
}

function verdictText(models: Parameters<typeof verdictTable>[0], tasks: readonly string[]): string {
  return `Losses are nats (choices: of the right answer among the answers; text: per byte), lower is better, with 95 % intervals;
combined is 1 for the uniform average on the search rows. Gains are the winner's over the model of the row, paired by row.

${markdownTable(verdictTable(models, tasks))}

${verdictSentences(models)
  .map((sentence) => `- ${sentence}`)
  .join("\n")}`;
}

function recipeText(recipe: Recipe): string {
  if (recipe.method === "passthrough") return `The weights are those of ${recipe.model}, unchanged.\n`;
  const { summary, source } = declarations[recipe.method];
  const tables = Object.entries(recipe.parameters).map(([parameter, curves]) => {
    const table: Table = {
      header: [`${parameter} (mean over the layers)`, ...Object.keys(Object.values(curves)[0] ?? {})],
      rows: Object.entries(curves).map(([group, experts]) => [
        group,
        ...Object.values(experts).map(({ layers, rest }) => (layers.length > 0 ? average(layers) : rest).toFixed(3)),
      ]),
    };
    return markdownTable(table);
  });
  return `Method \`${recipe.method}\`: ${summary} (${source}).\n\n${tables.join("\n\n")}\n`;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
