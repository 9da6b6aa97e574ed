import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SafetensorsFile } from "../../src/checkpoint/safetensors-file.ts";
import { readRecipe, recipeFiles } from "../../src/export/recipe-files.ts";
import { sha256Of } from "../../src/files/sha256.ts";
import type { MergeRecipe, Recipe } from "../../src/merge/recipe.ts";
import { pack } from "../../src/tensor/packed.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyModel } from "../tiny-model.ts";
import { recipeWithColumns } from "./recipe-with-columns.ts";

const recipe = recipeWithColumns("task_arithmetic", ["nature", "craft.v2"], tinyModel());

async function written(given: Recipe): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of recipeFiles(given)) writeFileSync(join(folder, name), content);
  return folder;
}

/** A folder whose recipe.json and columns.st agree, with these bytes in the place of the coefficients. */
async function withColumns(bytes: Uint8Array, file = "columns.st"): Promise<string> {
  const folder = await written(recipe);
  const columns = { file, format: "safetensors", sha256: sha256Of(bytes) };
  writeFileSync(join(folder, "recipe.json"), JSON.stringify({ ...recipe, columns }));
  writeFileSync(join(folder, "columns.st"), bytes);
  return folder;
}

/** A file of safetensors with one tensor. */
function safetensors(name: string, shape: readonly number[], dtype = "F32"): Uint8Array {
  const bytes = (dtype === "F32" ? 4 : 2) * shape.reduce((product, size) => product * size, 1);
  const header = Buffer.from(JSON.stringify({ [name]: { dtype, shape, data_offsets: [0, bytes] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(bytes)]);
}

/** Any text that can be a name in a path of three. */
const names = fc.stringMatching(/^[A-Za-z0-9_][\w.-]{0,8}$/).filter((name) => !(name in {}) && !/^\d+$/.test(name));
const columns = fc.dictionary(
  names,
  fc.dictionary(
    fc.oneof(names, fc.constantFrom("model.layers.0.mlp.up_proj.weight", "a/b")),
    fc.dictionary(names, fc.float32Array({ min: -1000, max: 1000, noNaN: true, minLength: 1 }).map(pack), {
      minKeys: 1,
    }),
    { minKeys: 1 },
  ),
  { minKeys: 1 },
);

describe("recipeFiles and readRecipe", () => {
  test("give back every recipe with columns to the last bit, in its order", async () => {
    await fc.assert(
      fc.asyncProperty(columns, async (columns) => {
        const given: MergeRecipe = { ...recipe, columns };
        expect(JSON.stringify(await readRecipe(await written(given)))).toBe(JSON.stringify(given));
      }),
      { numRuns: 30 },
    );
  });

  test.each<Recipe>([
    { method: "passthrough", model: "craft" },
    { method: "linear", parameters: recipe.parameters },
  ])("of a recipe of $method without columns is one file, the recipe itself", async (given) => {
    expect([...recipeFiles(given)]).toEqual([["recipe.json", `${JSON.stringify(given, null, 2)}\n`]]);
    expect(await readRecipe(await written(given))).toEqual(given);
  });

  test("leave recipe.json to people, and name the tensors by parameter, weight and expert", async () => {
    const folder = await written(recipe);
    const file = join(folder, "columns.st");
    const sha256 = sha256Of(readFileSync(file));
    expect(JSON.parse(readFileSync(join(folder, "recipe.json"), "utf8"))).toEqual({
      ...recipe,
      columns: { file: "columns.st", format: "safetensors", sha256 },
    });
    await using opened = await SafetensorsFile.open(file);
    const { tensors } = opened.header;
    expect(tensors[1]).toMatchObject({ name: "weight/model.embed_tokens.weight/craft.v2", dtype: "f32", shape: [16] });
    const bytes = await opened.read(tensors[1]!.name);
    expect(pack(new Float32Array(bytes.buffer))).toBe(
      recipe.columns["weight"]!["model.embed_tokens.weight"]!["craft.v2"],
    );
  });

  test("tell recipes apart that differ in one bit of a column", () => {
    const other = structuredClone(recipe) as { columns: Record<string, Record<string, Record<string, string>>> };
    const values = new Float32Array(16).fill(0.5);
    other.columns["weight"]!["lm_head.weight"]!["nature"] = pack(values);
    const before = recipeFiles(other as never).get("recipe.json");
    values[15] = 0.5 + 2 ** -24;
    other.columns["weight"]!["lm_head.weight"]!["nature"] = pack(values);
    expect(recipeFiles(other as never).get("recipe.json")).not.toBe(before);
  });

  test("refuse columns that were changed, are missing or stand elsewhere", async () => {
    const folder = await written(recipe);
    const file = join(folder, "columns.st");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    expect((await refusal(readRecipe(folder))).replaceAll(/[0-9a-f]{64}/g, "#")).toBe(
      `${file}: expected sha256 '#', as recipe.json says, found #; export again`,
    );
    const elsewhere = await withColumns(bytes, "../columns.st");
    expect(await refusal(readRecipe(elsewhere))).toBe(
      `${join(elsewhere, "recipe.json")}: columns: expected the file columns.st, found '../columns.st'; export again`,
    );
  });

  test.each([
    ["weight/lm_head.weight/nature", [2, 8], "F32", "f32 [2, 8]"],
    ["weight/lm_head.weight/nature", [16], "BF16", "bf16 [16]"],
    ["lm_head.weight/nature", [16], "F32", "f32 [16]"],
  ])("refuse the tensor %s %j of %s", async (name, shape, dtype, found) => {
    const folder = await withColumns(safetensors(name, shape, dtype));
    expect(await refusal(readRecipe(folder))).toBe(
      `${join(folder, "columns.st")}: tensor '${name}': expected f32 of one dimension named <parameter>/<weight>/<expert>, found ${found}`,
    );
  });

  test("take no name for a member of an object's prototype", async () => {
    const folder = await withColumns(safetensors("__proto__/constructor/polluted", [4]));
    await readRecipe(folder).catch(() => undefined);
    expect(Object.hasOwn(Object, "polluted")).toBe(false);
  });

  test.each([
    ["max_iter", 1e9],
    ["tol", true],
    ["max_itr", 3],
  ])("refuse an option of another value: %s", async (name, value) => {
    const folder = await written({ method: "karcher", parameters: {}, options: { [name]: value } });
    expect(await refusal(readRecipe(folder))).toContain(`options.${name}: expected `);
  });

  test("refuse a recipe that no export writes", async () => {
    const folder = await written({
      method: "linear",
      parameters: { weight: { mlp: { nature: { layers: [1e6], rest: 0 } } } },
    });
    expect(await refusal(readRecipe(folder))).toBe(
      `${join(folder, "recipe.json")}: expected a recipe as an export writes it: parameters.weight.mlp.nature.layers: expected a list of numbers from -1000 to 1000, found 1000000 at [0]`,
    );
  });
});
