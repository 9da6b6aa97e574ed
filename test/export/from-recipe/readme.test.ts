import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { openCheckpoint } from "../../../src/experiment/open-checkpoint.ts";
import type { MergedModel } from "../../../src/export/from-recipe/merge-models.ts";
import { sha256Of } from "../../../src/files/sha256.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeTinyModel } from "../../tiny-model.ts";

const root = join(import.meta.dirname, "..", "..", "..");

test("the README's example of mergeModels merges", async () => {
  const folder = await temporaryFolder();
  for (const [i, name] of ["base", "craft", "nature"].entries())
    await writeTinyModel(join(folder, "models", name), { dtype: "f32", perturbed: { seed: i, by: 0.1 } });
  const blocks = readFileSync(join(root, "README.md"), "utf8").matchAll(/```ts\n(?<code>.*?)```/gs);
  const example = Array.from(blocks, ({ groups }) => groups?.["code"] ?? "").find((code) =>
    code.includes("mergeModels"),
  );
  const index = pathToFileURL(join(root, "src", "index.ts")).href;
  const script = `${example!.replace('"evomerge"', JSON.stringify(index))}\nconsole.log(JSON.stringify({ model, files }));\n`;
  writeFileSync(join(folder, "example.mts"), script);
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const printed = execFileSync(process.execPath, ["--import", loader, "example.mts"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { model, files } = JSON.parse(String(printed)) as Pick<MergedModel, "model" | "files">;
  expect(model).toBe(join(folder, "my-model"));
  await using merged = await openCheckpoint(model);
  const sums = files.map(({ file }) => sha256Of(readFileSync(join(model, file))));
  expect(files.map(({ sha256 }) => sha256)).toEqual(sums);
  expect(new Set(Array.from(merged.tensors.values(), ({ dtype }) => dtype))).toEqual(new Set(["bf16"]));
});
