/** Merges of models that a recipe names by their names on the Hub. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checkpoint } from "../../../src/checkpoint/checkpoint.ts";
import { mergeModels } from "../../../src/export/from-recipe/merge-models.ts";
import { LoopbackHub } from "../../hub/loopback-hub.ts";
import { testHub } from "../../hub/test-hub.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeTinyModel } from "../../tiny-model.ts";

test("takes the revision that a name has, and the card says which commit that was", async () => {
  const folder = await temporaryFolder();
  for (const seed of [1, 2]) await writeTinyModel(join(folder, `${seed}`), { perturbed: { seed, by: 0.1 } });
  await using server = await LoopbackHub.start();
  const repository = server.addModel("org/model", { folder: join(folder, "1") });
  const first = repository.commit({ files: { "README.md": "---\nlicense: mit\n---\n" } });
  repository.tag("v1", first);
  const weights = readFileSync(join(folder, "2", "model.safetensors"));
  const second = repository.commit({ files: { "model.safetensors": weights } });
  for (const [name, commit, local] of [
    ["org/model@v1", first, "1"],
    ["org/model", second, "2"],
  ] as const) {
    const recipe = { merge_method: "passthrough", models: [{ model: name }] };
    const hub = await testHub(server, join(folder, "cache"));
    const { model } = await mergeModels({ recipe, to: join(folder, "out"), hub });
    await using own = await Checkpoint.open(join(folder, local));
    await using merged = await Checkpoint.open(model);
    expect(await merged.weightsDigest()).toBe(await own.weightsDigest());
    const card = readFileSync(join(model, "README.md"), "utf8");
    expect(card).toContain(
      `[org/model](https://huggingface.co/org/model/tree/${commit}) at \`${commit}\`, licence mit`,
    );
    expect(card).toContain("base_model:\n  - org/model\n");
    expect(card).toContain(`- model: ${name}\n`);
  }
});
