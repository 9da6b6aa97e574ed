import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readJournal } from "../../../src/journal/journal.ts";
import type { Recipe } from "../../../src/merge/recipe.ts";
import { pageParts } from "../../../src/report/page/run-page.ts";
import { type RunView, viewRun } from "../../../src/report/view/run-view.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type SyntheticRun, writeSyntheticRun } from "../synthetic-run.ts";

/** What there is to see of a run, whose winner is another if one is given. */
async function viewOf(options: Partial<SyntheticRun>, winner?: { name: string; recipe: Recipe }): Promise<RunView> {
  const folder = join(await temporaryFolder(), "run");
  writeSyntheticRun(folder, { generations: 2, population: 4, ...options });
  const view = readJournal(folder);
  const records = view.records.map((record) =>
    record.type === "finalists" && winner ? { ...record, winner: { ...record.winner, ...winner } } : record,
  );
  return viewRun(folder, Object.create(view, { records: { value: records } }) as typeof view);
}

async function coefficientsOf(view: RunView): Promise<string | undefined> {
  const parts = await pageParts(view, async () => "<svg ></svg>");
  return parts.find(({ id }) => id === "coefficients")?.content.toString();
}

describe("the coefficients of a run", () => {
  test("are those of the winner where it is a merge, and nothing more is said", async () => {
    const view = await viewOf({ until: "finalists" });
    expect(view.whyNoCoefficients).toBe(null);
    expect(view.parameters.map(({ parameter }) => parameter)).toEqual(["weight"]);
  });

  test.each<[string, Partial<SyntheticRun>, { name: string; recipe: Recipe } | undefined, string]>([
    [
      "the winner is one of the models",
      { until: "finalists" },
      { name: "<b>nature", recipe: { method: "passthrough", model: "nature" } },
      "The winner is <b>nature as it is, and no coefficients make it. What the search came to stands with the search.",
    ],
    [
      "the winner is a stack",
      { until: "finalists" },
      { name: "evolved merge", recipe: { method: "stack", layers: [], rest: "base" } },
      "The winner is a stack of its parents' layers; its recipe says which, and how they are scaled.",
    ],
    [
      "no winner is chosen yet",
      { until: "search" },
      undefined,
      "None yet: candidates have been scored, and no winner is chosen among them.",
    ],
  ])("are none where %s, which the page says", async (_, options, winner, sentence) => {
    const view = await viewOf(options, winner);
    expect([view.whyNoCoefficients, view.parameters]).toEqual([sentence, []]);
    expect(await coefficientsOf(view)).toContain(
      sentence.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;"),
    );
  });

  test("are not spoken of before anything is searched", async () => {
    expect(await coefficientsOf(await viewOf({ until: "baselines" }))).toBe(undefined);
  });
});
