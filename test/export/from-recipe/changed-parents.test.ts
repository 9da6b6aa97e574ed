import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mergeModels } from "../../../src/export/from-recipe/merge-models.ts";
import { refusal } from "../../refusal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeTinyAdapter } from "../../tiny-adapter.ts";
import { writeTinyModel } from "../../tiny-model.ts";

/** A folder with models a, b and c, and an adapter of a. */
async function writeModels(): Promise<string> {
  const folder = await temporaryFolder();
  for (const [i, name] of ["a", "b", "c"].entries())
    await writeTinyModel(join(folder, name), { layers: 3, perturbed: { seed: i, by: 0.1 } });
  await writeTinyAdapter(join(folder, "tune"), join(folder, "a"));
  return folder;
}

/** Merges a with its adapter and b, and does something once the first weight is merged. */
async function mergedWhile(folder: string, to: string, happens: () => void = () => {}): Promise<string> {
  let isFirst = true;
  const names = ["a+tune", "b"].map((name) => name.replaceAll(/\w+/g, (one) => join(folder, one)));
  const { files } = await mergeModels({
    recipe: { merge_method: "linear", models: names.map((model) => ({ model, parameters: { weight: 0.5 } })) },
    to: join(folder, to),
    onEvent: ({ type }) => {
      if (type !== "merging" || !isFirst) return;
      isFirst = false;
      happens();
    },
  });
  return files.map(({ sha256 }) => sha256).join();
}

describe("models that change while they are merged", () => {
  test.each(["a/model.safetensors", "b/model.safetensors", "tune/adapter_model.safetensors"])(
    "a merge of %s that is written to is none",
    async (file) => {
      const folder = await writeModels();
      const work = mergedWhile(folder, "out", () => {
        const descriptor = openSync(join(folder, file), "r+");
        writeSync(descriptor, Buffer.alloc(2), 0, 2, 1000);
        closeSync(descriptor);
      });
      expect(await refusal(work)).toMatch(
        new RegExp(
          String.raw`${file}: it was written to while it was read \(last at \S+Z before, at \S+Z now\); begin again`,
        ),
      );
      expect(existsSync(join(folder, "out"))).toBe(false);
    },
  );

  test("what is told of one is what differs, its size where that does", async () => {
    const folder = await writeModels();
    const file = join(folder, "b", "model.safetensors");
    const bytes = statSync(file).size;
    const sent = mergedWhile(folder, "out", () => appendFileSync(file, "."));
    expect(await refusal(sent)).toContain(`(${bytes} bytes before, ${bytes + 1} now)`);
    truncateSync(file, bytes);
    const [, before, now] = /last at (\S+) before, at (\S+) now/.exec(
      await refusal(mergedWhile(folder, "out", () => utimesSync(file, 1e9, 1e9 + 0.5))),
    )!;
    expect(now).toBe("2001-09-09T01:46:40.500000000Z");
    expect(Date.parse(before!)).toBeGreaterThan(Date.parse(now!));
  });

  test("a model that takes the place of one is for the next merge", async () => {
    const folder = await writeModels();
    const before = await mergedWhile(folder, "before");
    cpSync(join(folder, "c", "model.safetensors"), join(folder, "b", "next"));
    const replace = (): void => renameSync(join(folder, "b", "next"), join(folder, "b", "model.safetensors"));
    expect(await mergedWhile(folder, "meanwhile", replace)).toBe(before);
    expect(await mergedWhile(folder, "behind")).not.toBe(before);
  });
});
