import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { readExportedFiles } from "../../../src/model-folder/exported-files.ts";
import { command } from "../../cli/evomerge.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeTinyModel } from "../../tiny-model.ts";

describe("a merge that is killed", () => {
  test("leaves nothing under the name of the model, and the next one completes and tidies up", async () => {
    const folder = await temporaryFolder();
    for (const [i, name] of ["a", "b"].entries())
      await writeTinyModel(join(folder, name), { hidden: 64, layers: 12, perturbed: { seed: i, by: 0.1 } });
    const recipe = { merge_method: "karcher", models: [{ model: "./a" }, { model: "./b" }] };
    writeFileSync(join(folder, "recipe.yml"), JSON.stringify(recipe));
    const [program = "", ...args] = command;
    const start = (): ChildProcess =>
      spawn(program, [...args, "merge", "recipe.yml", "out"], { cwd: folder, stdio: "ignore" });
    const isStaged = (name: string): boolean =>
      name.startsWith(".out.") &&
      existsSync(join(folder, name, "new")) &&
      readdirSync(join(folder, name, "new")).length > 0;
    const killed = start();
    const ended = once(killed, "close");
    while (killed.exitCode === null && !readdirSync(folder).some(isStaged)) await sleep(1);
    killed.kill("SIGKILL");
    await ended;
    expect(killed.signalCode).toBe("SIGKILL");
    expect(existsSync(join(folder, "out"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).not.toEqual([]);

    const next = start();
    await once(next, "close");
    expect(next.exitCode).toBe(0);
    const { files, difference } = (await readExportedFiles(join(folder, "out"))) ?? {};
    expect([difference, files?.has("model.safetensors")]).toEqual([undefined, true]);
    expect(readdirSync(folder).toSorted()).toEqual(["a", "b", "out", "recipe.yml"]);
  });
});
