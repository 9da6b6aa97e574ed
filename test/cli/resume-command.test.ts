import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { evomerge } from "./evomerge.ts";

describe("evomerge resume", () => {
  test("says of a finished run whether its winner is exported", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const run = join(folder, "run");
    await evomerge(folder, ["run", "tiny.yaml", "--out", run, "--export"]);
    const last = async (...args: string[]): Promise<string | undefined> => {
      const { stdout } = await evomerge(folder, ["resume", run, ...args]);
      // Before the line of the report.
      return stdout.trimEnd().split("\n").at(-2);
    };
    expect(await last()).toBe(`the winner is exported: ${join(run, "best")}`);
    expect(await last("--evaluations", "20")).toMatch(
      `export the winner, in the place of an earlier one in ${join(run, "best")}, with: `,
    );
  });

  test.each(["constructor", "__proto__", "tom"])("knows no expert and no task called %s", async (name) => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    await evomerge(folder, ["run", "tiny.yaml", "--out", "run"]);
    expect(await evomerge(folder, ["resume", "run", "--expert", `${name}=base`])).toMatchObject({
      code: 1,
      stderr: `evomerge: run: the run has no expert "${name}"; expected nature, craft\n`,
    });
    expect(await evomerge(folder, ["resume", "run", "--rows", `${name}=rows/quiz.jsonl`])).toMatchObject({
      code: 1,
      stderr: `evomerge: run: the run has no task "${name}"; expected quiz, news\n`,
    });
  });

  test("is told where models and rows are that were moved, and remembers it for the other commands", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    await evomerge(folder, ["run", "tiny.yaml", "--out", "run"]);
    for (const name of ["base", "nature", "craft", "rows"]) renameSync(join(folder, name), join(folder, `${name}.2`));
    const lost = await evomerge(folder, ["resume", "run"]);
    expect(lost).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^evomerge: run: nothing is at .*--guard news=<file>\nwith the new places: \S.* resume run --base \S+base --expert nature=\S+nature --expert craft=\S+craft( --(rows|guard) \w+=\S+){4}\n$/,
      ) as string,
    });
    const rows = ["--rows", "quiz=rows.2/quiz.jsonl", "--rows", "news=rows.2/news.jsonl"];
    const guard = ["--guard", "quiz=rows.2/quiz.guard.jsonl", "--guard", "news=rows.2/news.guard.jsonl"];
    const models = ["--base", "base.2", "--expert", "nature=nature.2", "--expert", "craft=craft.2"];
    const told = await evomerge(folder, ["resume", "run", ...models, ...rows, ...guard]);
    expect(told).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("comparing the weights of craft in") as string,
    });
    expect(await evomerge(folder, ["export", "run"])).toMatchObject({ code: 0 });
  });

  test.each([
    [["--expert", "craft"], "expected a name and a folder, as in craft=models/craft"],
    [["--expert", "=craft"], "expected a name and a folder, as in craft=models/craft"],
    [["--rows", "quiz="], "expected a task and a file, as in quiz=rows/quiz.jsonl"],
    [["--expert", "a=b", "--expert", "c=d", "--expert", "a=e"], "expected every name once, found a twice"],
    [["--base", "a", "--base", "b"], "expected it once"],
  ])("refuses %j as wrong usage", async (args, says) => {
    const { code, stderr } = await evomerge(await temporaryFolder(), ["resume", "run", ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) as string });
  });
});
