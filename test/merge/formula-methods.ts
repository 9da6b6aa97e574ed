import { join } from "node:path";
import type { FormulaMethod } from "../../src/merge/formula-method.ts";
import { loadPlugins } from "../../src/plugins/load-plugins.ts";

const { methods } = await loadPlugins([join(import.meta.dirname, "../../experiments/plugins/consensus.mjs")]);

/** That of the example of a plugin. */
export const consensus: FormulaMethod = methods.get("consensus/task_arithmetic")!;

const weight = { per: "expert", range: [0, 1], start: 0.5, summary: "a weight" } as const;

/** One without comparisons, so that small steps say what its derivatives are, in which coefficients are divided by, too. */
export const smooth: FormulaMethod = {
  name: "test/smooth",
  source: "none",
  summary: "a mean by weight and by what differs, shrunk",
  formula: `change = weight * (expert - base)
    share = weight / (1 + sum(weight * weight))
    base + sum(share * change) / (1 + abs(sum(change))) - (0.25 - 1 / (2 + abs(sum(weight)))) * sum(change)`,
  parameters: [{ name: "weight", ...weight }],
};
