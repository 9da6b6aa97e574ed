import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import { standingOf } from "../../src/journal/standing.ts";
import { WriterLock } from "../../src/journal/writer-lock.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { frontRows, type FrontRow } from "../../src/report/front-rows.ts";
import { cutAfter } from "../cut-run.ts";
import { sharedRun } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded } from "../tiny-experiment.ts";

const single = sharedRun();
const search = { algorithm: "front-walk", rowFraction: 0.5 };
const several = sharedRun({ file: { search, budget: { evaluations: 60 } }, model: { dtype: "f32" } });
let run = "";
let rows: readonly FrontRow[] = [];

beforeAll(() => {
  run = several.folder;
  const { front = [], ...standing } = standingOf(readJournal(run).records);
  rows = frontRows({ front, ...standing });
});

describe("exportRun with a pick", () => {
  test("writes the merge that stands at the place, beside an export of the winner", async () => {
    const winner = await exportRun(run);
    const other = rows.find(({ names, of }) => !names.includes("the winner") && of.startsWith("walk"));
    const { place } = other ?? absent();
    const picked = await exportRun(run, { pick: String(place) });
    expect(picked.model).toBe(join(run, `front-${place}`));
    expect(picked.weightsDigest).not.toBe(winner.weightsDigest);
    expect(picked.winner).toMatchObject({ name: `front ${place}`, scores: other?.scores });
    expect(picked.verdict).toBeUndefined();
    const recipe = JSON.parse(readFileSync(join(picked.model, "recipe.json"), "utf8")) as object;
    expect(recipe).not.toEqual(JSON.parse(readFileSync(join(winner.model, "recipe.json"), "utf8")));
    expect(existsSync(join(run, "best", "model.safetensors"))).toBe(true);
  });

  test("says in the card what was picked and what the guard rows say of it, or that they never judged it", async () => {
    const judged = rows.find((row) => row.judged && !row.names.includes("the winner")) ?? absent();
    const to = await temporaryFolder();
    const one = await exportRun(run, { pick: String(judged.place), to: join(to, "judged") });
    const card = readFileSync(join(one.model, "README.md"), "utf8");
    expect(card).toContain(`Number ${judged.place} of the ${rows.length} on the front of the tasks`);
    expect(card).toContain("Its losses on the guard rows, with 95 % intervals: quiz ");
    const unjudged = rows.find((row) => !row.judged);
    if (!unjudged) return;
    const other = await exportRun(run, { pick: String(unjudged.place), to: join(to, "unjudged") });
    expect(readFileSync(join(other.model, "README.md"), "utf8")).toContain("The guard rows never judged this one.");
  });

  test("has the winner's verdict where the winner is picked", async () => {
    const place = rows.findIndex(({ names }) => names.includes("the winner")) + 1;
    const { weightsDigest, verdict } = await exportRun(run, { pick: String(place) });
    expect(verdict?.weightsDigest).toBe(weightsDigest);
    expect(recorded(run, "verdict")[0]?.weightsDigest).toBe(weightsDigest);
  });

  test("is refused with what there is where nothing has that name", async () => {
    await expect(exportRun(run, { pick: "quizz" })).rejects.toThrow(
      `--pick: expected knee, a task (quiz, news) or a place on the front from 1 to ${rows.length}, found`,
    );
    await expect(exportRun(single.folder, { pick: "knee" })).rejects.toThrow(
      `--pick: the search by cma-es takes the tasks as one loss, and has no front; its winner is had by evomerge export ${single.folder}, a front by`,
    );
  });

  test("is refused of a run that has not come to its front, which exports its best so far without one", async () => {
    const { records } = readJournal(run);
    const before = records.findIndex(({ type }) => type === "finalists");
    const cut = cutAfter(run, before, join(await temporaryFolder(), "cut"));
    const sentence = "--pick: the run is not over, and its front is compared at its end; ";
    await expect(exportRun(cut, { pick: "knee" })).rejects.toThrow(
      `${sentence}go on with evomerge resume ${cut}, or export its best so far with evomerge export ${cut}`,
    );
    {
      using _ = WriterLock.acquire(cut);
      await expect(exportRun(cut, { pick: "knee" })).rejects.toThrow(
        `${sentence}it is being written: wait for its end`,
      );
    }
    expect(existsSync(join(cut, "front-1"))).toBe(false);
  });
});

function absent(): never {
  throw new Error("the front has no such member");
}
