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
      return stdout.trimEnd().split("\n").at(-1);
    };
    expect(await last()).toBe(`the winner is exported: ${join(run, "best")}`);
    expect(await last("--evaluations", "20")).toMatch(
      `export the winner, in the place of an earlier one in ${join(run, "best")}, with: `,
    );
  });
});
