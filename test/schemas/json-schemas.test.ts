import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { jsonSchemas } from "./json-schemas.ts";

const root = join(import.meta.dirname, "../..");

/** Files without a fault. */
const good = {
  experiment: "experiments/demo.yaml",
  "search-space": "search-spaces/depth-curves.yaml",
  recipe: "test/fixtures/recipes/llama/linear.yml",
};

function schemaIn(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, "schemas", `${name}.json`), "utf8")) as Record<string, unknown>;
}

/** Whether a file's text is as the published schema says. */
function accepts(name: string, text: string): boolean {
  return z.fromJSONSchema(schemaIn(name)).safeParse(parse(text)).success;
}

function yamlIn(folder: string): readonly string[] {
  const files = readdirSync(join(root, folder)).filter((file) => /\.ya?ml$/.test(file));
  return files.map((file) => join(folder, file));
}

describe("the files of schemas/", () => {
  test("are up to date, as write-schemas.ts writes them", () => {
    const written = readdirSync(join(root, "schemas")).map((file) => file.replace(/\.json$/, ""));
    expect(written.toSorted()).toEqual([...jsonSchemas.keys()].toSorted());
    for (const [name, schema] of jsonSchemas) expect(schemaIn(name)).toEqual(structuredClone(schema));
  });

  test.each([
    ...yamlIn("experiments").map((file) => [file, "experiment"]),
    ...yamlIn("search-spaces").map((file) => [file, "search-space"]),
  ])("are what %s begins with and is accepted by", (file, name) => {
    const text = readFileSync(join(root, file), "utf8");
    const [, path = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    expect(relative(root, resolve(root, dirname(file), path))).toBe(`schemas/${name}.json`);
    expect(accepts(name, text)).toBe(true);
  });

  test.each(["gemma", "llama", "t5"].flatMap((family) => yamlIn(join("test/fixtures/recipes", family))))(
    "accept the recipe %s",
    (file) => {
      expect(accepts("recipe", readFileSync(join(root, file), "utf8"))).toBe(true);
    },
  );

  test.each([
    ["experiment", "bsae: base"],
    ["experiment", "budget: { time: 10 }"],
    ["experiment", "budget: { time: 1h, evaluations: 3 }"],
    ["search-space", "depth: { dct: 1 }"],
    ["search-space", "method: tiez"],
    ["recipe", "merge_method: tiez"],
    ["recipe", "parameters: { wieght: 1 }"],
  ])("refuse in an editor, of a file of kind %s: %s", (name, line) => {
    const text = readFileSync(join(root, good[name as keyof typeof good]), "utf8");
    const changed = { ...(parse(text) as object), ...(parse(line) as object) };
    expect(accepts(name, JSON.stringify(parse(text)))).toBe(true);
    expect(accepts(name, JSON.stringify(changed))).toBe(false);
  });

  test("say of every key of an experiment what it is", () => {
    const { properties } = schemaIn("experiment") as { properties: Record<string, { description?: string }> };
    const silent = Object.keys(properties).filter((key) => !properties[key]?.description);
    expect(silent).toEqual([]);
  });
});
