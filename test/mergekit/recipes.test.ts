import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { mergeModels } from "../../src/export/from-recipe/merge-models.ts";
import { toFloat32 } from "../../src/tensor/half.ts";
import { recipeKinds, recipes, writeRecipeModels } from "./recipe-models.ts";

/** What mergekit makes of a tensor: its shape, its norm, and elements at even distances from the first to the last. */
interface ExpectedTensor {
  readonly shape: readonly number[];
  readonly norm: number;
  readonly elements: readonly number[];
}

/** By recipe, then by tensor; written by test/parity/recipes.py. */
const expected = JSON.parse(readFileSync(join(recipes, "expected.json"), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, ExpectedTensor>>>
>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  for (const kind of recipeKinds) await writeRecipeModels(join(folder, kind), kind);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Whether a number is the other to 1e-6 of the largest that there may be. */
function isNear(found: number | undefined, wanted: number, scale: number): boolean {
  return Math.abs((found ?? Number.NaN) - wanted) <= 1e-6 * scale;
}

describe("recipes of mergekit", () => {
  test("are all among what mergekit made", async () => {
    const files = await Promise.all(
      recipeKinds.map(async (kind) =>
        (await readdir(join(recipes, kind))).map((file) => `${kind}/${file.replace(/\.yml$/, "")}`),
      ),
    );
    expect(files.flat().toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  test.each(Object.keys(expected))("are merged as mergekit merges them: %s", async (name) => {
    const recipe = join(folder, `${name}.yml`);
    await copyFile(join(recipes, `${name}.yml`), recipe);
    const { model } = await mergeModels({ recipe, to: join(folder, name), mergekitCompat: true });
    await using merged = await Checkpoint.open(model);
    expect([...merged.tensors.keys()].toSorted()).toEqual(Object.keys(expected[name]!).toSorted());
    for (const [tensor, { shape, norm, elements }] of Object.entries(expected[name]!)) {
      expect(merged.tensors.get(tensor)?.shape).toEqual(shape);
      const values = toFloat32(await merged.read(tensor), "f32");
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const places = elements.map((_, i) => Math.round((i * (values.length - 1)) / (elements.length - 1)));
      const found = places.map((place) => values[place]);
      const faults = elements.filter((element, i) => !isNear(found[i], element, scale));
      expect({ tensor, faults, found }).toMatchObject({ tensor, faults: [] });
      expect(isNear(Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)), norm, norm)).toBe(true);
    }
  });
});
