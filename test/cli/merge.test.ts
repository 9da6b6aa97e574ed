import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTinyModel } from "../tiny-model.ts";
import { evomerge } from "./evomerge.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  for (const [i, name] of ["a", "b"].entries())
    await writeTinyModel(join(folder, name), { hidden: 64, layers: 12, perturbed: { seed: i, by: 0.1 } });
  const models = ["a", "b"].map((model) => ({ model, parameters: { weight: 0.5 } }));
  writeFileSync(join(folder, "merge.yml"), JSON.stringify({ merge_method: "linear", models }));
  writeFileSync(join(folder, "wrong.yml"), JSON.stringify({ merge_method: "linear", modles: models }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("merge", () => {
  test("prints where the model is, as text and as JSON, and tells of its bytes", async () => {
    const { code, stdout, stderr } = await evomerge(folder, ["merge", "merge.yml", "out", "--json"]);
    expect(code).toBe(0);
    const { model, bytes, tensors, lmEval } = JSON.parse(stdout) as Record<string, unknown>;
    expect([model, tensors]).toEqual([join(folder, "out"), 111]);
    expect(bytes).toBe(898_176);
    expect(lmEval).toContain(`pretrained=${join(folder, "out")}`);
    expect(stderr).toMatch(
      /^note: the recipe has no base_model: configuration and tokenizer are those of its first model/m,
    );
    expect(stderr).toMatch(/^100 % {2}merging .*\/s {2}0 s left$/m);
    const again = await evomerge(folder, ["merge", "merge.yml", "out", "--max-shard-size", "300KB"]);
    expect(again.stdout).toMatch(
      /^merged 111 tensors, .* into .*\/out\nread back; the sha256 of each file is in SHA256SUMS\nevaluate it with: /,
    );
    expect(readdirSync(join(folder, "out"))).toContain("model.safetensors.index.json");
  });

  test.each([
    [["merge", "wrong.yml", "new"], 1, 'wrong.yml:1:26: unknown key "modles"; did you mean "models"?'],
    [["merge", "none.yml", "new"], 1, "none.yml"],
    [["merge", "merge.yml", "new", "--base", "a"], 1, "names its models itself; leave out base, experts and tokenizer"],
    [["merge", "merge.yml", "new", "--max-shard-size", "huge"], 2, "expected a size such as 500MB or 5GB"],
    [["merge", "merge.yml"], 2, "missing required argument 'folder'"],
  ] as const)("ends %j with %d", async (args, code, message) => {
    const ended = await evomerge(folder, args);
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(message) as string });
    expect(existsSync(join(folder, "new"))).toBe(false);
  });

  test("ends with 130 where it is interrupted, and leaves nothing", async () => {
    const before = readdirSync(folder).toSorted();
    const watch = (child: Parameters<NonNullable<Parameters<typeof evomerge>[2]>["watch"] & object>[0]): void => {
      const waiting = setInterval(() => {
        if (!readdirSync(folder).some((name) => name.startsWith(".new."))) return;
        clearInterval(waiting);
        child.kill("SIGINT");
      }, 1);
      child.once("close", () => clearInterval(waiting));
    };
    const { code } = await evomerge(folder, ["merge", "merge.yml", "new"], { watch });
    expect(code).toBe(130);
    expect(readdirSync(folder).toSorted()).toEqual(before);
  });
});
