/**
 * How many tokens of rows begin as another row does, and would be computed once if rows shared what they begin with:
 *
 *     npx tsx bench/prefixes.ts MODEL ROWS [ROWS ...]
 *
 * Every row is compared with its neighbours in the order of their tokens; where both begin alike that counts once.
 */
import { parseArgs } from "node:util";
import { openWorkspace } from "../src/experiment/workspace.ts";
import { packedLength, type Prompt } from "../src/evaluate/pack.ts";
import { promptsOf } from "../src/evaluate/prompt.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { readRows } from "../src/tasks/rows.ts";

/** Below so many tokens in common an engine's call for what is shared costs more than it saves. */
const WORTH_A_CALL = 32;

const [folder = "", ...files] = parseArgs({ allowPositionals: true }).positionals;
await using workspace = await openWorkspace({ base: folder, experts: [], engine: "ggml", precision: "f32" });
const all: Prompt[] = [];
const lines: string[][] = [];
for (const file of files) {
  const prompts = await promptsIn(file);
  all.push(...prompts);
  lines.push(lineOf(file, prompts));
}
lines.push(lineOf("together", all));
const header = ["", "rows", "tokens", "shared", `of ${WORTH_A_CALL} and more`];
console.log(alignedText({ header, rows: lines }));

async function promptsIn(file: string): Promise<readonly Prompt[]> {
  const { tokenizer, model } = workspace;
  const rows = await readRows([file]);
  const tokenised = await tokenizer.encode(rows);
  return rows.flatMap((row, i) => promptsOf(row, tokenised[i]!, model).prompts);
}

function lineOf(name: string, prompts: readonly Prompt[]): string[] {
  const tokens = prompts.map(packedLength).reduce((sum, length) => sum + length, 0);
  const contexts = prompts.map(({ context }) => context).toSorted(compare);
  const common = contexts.slice(1).map((context, i) => inCommon(contexts[i]!, context));
  const share = (least: number): string => {
    const shared = common.filter((length) => length >= least).reduce((sum, length) => sum + length, 0);
    return `${((100 * shared) / tokens).toFixed(1)} %`;
  };
  return [name, String(prompts.length), String(tokens), share(1), share(WORTH_A_CALL)];
}

function inCommon(left: Int32Array, right: Int32Array): number {
  const end = left.findIndex((token, i) => token !== right[i]);
  return end < 0 ? left.length : end;
}

function compare(left: Int32Array, right: Int32Array): number {
  const at = inCommon(left, right);
  return (left[at] ?? -1) - (right[at] ?? -1);
}
