/**
 * Scores rows with several models: `score-rows.ts <rows.json> <model folder ...>`, where rows.json is a list of
 * `[context, continuations]`. Prints a list for each model with a value for each continuation of each row: the
 * log-likelihood of an only one, otherwise the loss if that one were the right answer. Used by tokenizer-kinds.py.
 * @module
 */
import { readFile } from "node:fs/promises";
import { BASE } from "../../src/experiment/the-base.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";

type Row = readonly [context: string, continuations: readonly string[]];

const [path = "", ...folders] = process.argv.slice(2);
const rows = (JSON.parse(await readFile(path, "utf8")) as Row[]).flatMap(taskRows);
const recipe = { method: "passthrough", model: BASE } as const;
const values: number[][] = [];
for (const base of folders) {
  await using workspace = await openWorkspace({ base, experts: [], engine: "ggml", precision: "f32" });
  const [evaluation] = await workspace.evaluator.evaluate([recipe], { rows });
  const scores = evaluation?.scores["rows"] ?? [];
  values.push(
    scores.map(({ loss }, i) => {
      const { kind, continuations } = rows[i]!;
      return kind === "text" ? -loss * Buffer.byteLength(continuations[0]!) : loss;
    }),
  );
}
process.stdout.write(JSON.stringify(values));

function taskRows([context, continuations]: Row, index: number): TaskRow[] {
  const kind = continuations.length === 1 ? "text" : "choice";
  const same = { kind, context, continuations, passage: "", group: "" } as const;
  return continuations.map((_, label) => ({ ...same, id: `${index} ${label}`, label }));
}
