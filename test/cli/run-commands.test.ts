import type { ChildProcess } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { obeyed } from "../files/hostile-text.ts";
import { evomerge, shownCommand } from "./evomerge.ts";

/** Names, lengths and times of what is in a folder. */
async function traceOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}

describe("evomerge list and status", () => {
  test("tell of a run while it goes on and after it was interrupted, and write nothing", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const hostile = "run\u001B[2J\u202E";
    const run = join(folder, "results", hostile);
    let child: ChildProcess | undefined;
    const args = ["run", "tiny.yaml", "--out", join("results", hostile), "--evaluations", "1000000"];
    const ended = evomerge(folder, args, { watch: (started) => (child = started) });
    const statusNow = async (): Promise<Record<string, unknown>> => {
      const { code, stdout } = await evomerge(folder, ["status", join("results", hostile), "--json"]);
      return code === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : {};
    };
    let status = await statusNow();
    for (; !(Number(status["generations"]) > 0); status = await statusNow()) await setTimeout(100);
    expect(status).toMatchObject({
      state: "running",
      writer: { pid: child?.pid, isSeen: true },
      budget: { evaluations: 1_000_000 },
    });
    const list = await evomerge(folder, ["list"]);
    expect(list).toMatchObject({ code: 0, stderr: "" });
    expect(list.stdout).not.toMatch(obeyed);
    expect(list.stdout).toContain(`runs as ${child?.pid} `);
    expect(list.stdout).toContain(String.raw`  run\u001B[2J\u202E`);

    child?.kill("SIGINT");
    expect((await ended).code).toBe(130);
    const before = await traceOf(run);
    const { stdout } = await evomerge(folder, ["status", join("results", hostile)]);
    expect(stdout).not.toMatch(obeyed);
    expect(stdout).toMatch(/: interrupted, and can be resumed\nbegan /);
    expect(stdout).toContain(`\n${shownCommand} resume `);
    const { stdout: json } = await evomerge(folder, ["list", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ runs: [{ name: hostile, state: "interrupted" }], leftOut: 0 });
    expect(await traceOf(run)).toEqual(before);
  });

  test("say in one sentence where there is nothing to tell of", async () => {
    const folder = await temporaryFolder();
    const missing = "evomerge: results: expected a folder of runs: no such file or directory\n";
    expect(await evomerge(folder, ["list"])).toEqual({ code: 1, stdout: "", stderr: missing });
    const none = "evomerge: results holds no run: expected the file journal.jsonl in it\n";
    expect(await evomerge(folder, ["status", "results"])).toEqual({ code: 1, stdout: "", stderr: none });
    await mkdir(join(folder, "results"));
    expect(await evomerge(folder, ["list"])).toEqual({ code: 0, stdout: "no runs in results\n", stderr: "" });
  });
});

test("a command that waits for what never comes ends with a sentence", async () => {
  const folder = await temporaryFolder();
  const path = await writeTinyExperiment(folder, { file: { plugins: ["./never.mjs"] } });
  await writeFile(join(folder, "never.mjs"), "await new Promise(() => {});");
  expect(await evomerge(folder, ["check", path])).toEqual({
    code: 1,
    stdout: "",
    stderr: "evomerge: what the command waits for never came; look for a plugin whose promise is never settled\n",
  });
});
