import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shippedFile, shippedNames } from "../../src/config/shipped-file.ts";
import { UserError } from "../../src/errors.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { ownFolder } from "../../src/files/own-package.ts";
import { loadSpace } from "../../src/space/spaces.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const demo = join(ownFolder(), "experiments", "demo.yaml");

describe("shippedFile", () => {
  test("finds experiments and search spaces by name from any folder", async () => {
    const folder = await temporaryFolder();
    expect(shippedFile("demo", folder, "experiment")).toBe(demo);
    const space = shippedFile("depth-curves", folder, "search space");
    expect(space).toBe(join(ownFolder(), "search-spaces", "depth-curves.yaml"));
    expect(shippedNames("experiment")).toContain("llama-3-8b");
  });

  test.each(["demo.yaml", "./demo", "a/demo", "..", "/demo"])("leaves the path %s to others", async (text) => {
    expect(shippedFile(text, await temporaryFolder(), "experiment")).toBeUndefined();
  });

  test("takes a file that has the very name, not a folder", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "demo"));
    expect(shippedFile("demo", folder, "experiment")).toBe(demo);
    await writeFile(join(folder, "mine"), "");
    expect(shippedFile("mine", folder, "experiment")).toBeUndefined();
  });

  test("refuses a name that a file beside it has but for the ending, unless it is the shipped one", async () => {
    const folder = await temporaryFolder();
    await symlink(demo, join(folder, "demo.yaml"));
    expect(shippedFile("demo", folder, "experiment")).toBe(demo);
    await writeFile(join(folder, "mistral-7b.yml"), "");
    expect(() => shippedFile("mistral-7b", folder, "experiment")).toThrow(
      `mistral-7b: expected one file, found two that may be meant; write mistral-7b.yml for the one here, or ${join(ownFolder(), "experiments", "mistral-7b.yaml")} for the experiment`,
    );
  });

  test("says where the experiment in a folder is that was named", async () => {
    const folder = await temporaryFolder();
    for (const name of ["mine", "demo"]) await mkdir(join(folder, name));
    expect(shippedFile("mine", folder, "experiment")).toBeUndefined();
    for (const name of ["mine", "demo"]) await writeFile(join(folder, name, "experiment.yaml"), "");
    expect(() => shippedFile("mine", folder, "experiment")).toThrow("did you mean mine/experiment.yaml?");
    expect(() => shippedFile("demo", folder, "experiment")).toThrow("write demo/experiment.yaml for the one here");
  });

  test("says of an unknown name what may be meant", async () => {
    const folder = await temporaryFolder();
    const find = (text: string): string | undefined => shippedFile(text, folder, "experiment");
    expect(() => find("dmeo")).toThrow(UserError);
    expect(() => find("dmeo")).toThrow(/^dmeo: no such file, and no experiment .*; did you mean demo\?$/);
    expect(() => find("nothing-alike")).toThrow(/those are demo, efficiency-winner, /);
    await writeFile(join(folder, "mine.yml"), "");
    expect(() => find("mine")).toThrow("did you mean mine.yml?");
  });
});

test("an experiment takes a shipped search space by its name, and is one by its own", async () => {
  const path = join(await temporaryFolder(), "mine.yaml");
  const text = "base: a/b\nexperts: [a/c, a/d]\ntasks: { t: { rows: { dataset: a/r } } }\nbudget: { time: 1h }\n";
  await writeFile(path, `${text}space: depth-curves\n`);
  expect((await loadExperiment(path)).space).toEqual(
    await loadSpace(join(ownFolder(), "search-spaces", "depth-curves.yaml")),
  );
  await writeFile(path, `${text}space: depth-curve\n`);
  await expect(loadExperiment(path)).rejects.toThrow("did you mean depth-curves?");
  expect(await loadExperiment("demo")).toEqual(await loadExperiment(demo));
});
