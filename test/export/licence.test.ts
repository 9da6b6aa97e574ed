import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { licenceOf, mergedLicence } from "../../src/export/licence.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function merged(base?: string, ...experts: (string | undefined)[]): ReturnType<typeof mergedLicence> {
  const names = ["a", "b", "c"];
  return mergedLicence(new Map([["base", base], ...experts.map((id, i) => [names[i]!, id] as const)]));
}

describe("mergedLicence", () => {
  test("is the licence of all models", () => {
    expect(merged("apache-2.0", "apache-2.0")).toEqual({
      id: "apache-2.0",
      note: "All models are under the licence `apache-2.0`, and so is the merge.",
    });
  });

  test("of different licences is none of them", () => {
    expect(merged("apache-2.0", "mit", "apache-2.0")).toEqual({
      id: "other",
      note:
        "The licences of the models differ: base: apache-2.0; a: mit; b: apache-2.0. " +
        "What any of them asks for holds for the merge, so that the strictest applies.",
    });
  });

  test("says whose licence is not stated", () => {
    const { id, note } = merged("mit", undefined, "mit", undefined);
    expect(id).toBe("other");
    expect(note).toContain("base: mit; a: not stated; b: mit; c: not stated.");
    expect(note).toContain("No licence is stated for a, c: ask before you pass the merge on.");
    expect(merged(undefined, undefined)).toEqual({
      id: "other",
      note: "No licence is stated for base, a: ask before you pass the merge on.",
    });
  });

  test.each([
    ["llama3", "Built with Meta Llama 3."],
    ["llama3", 'must begin with "Llama 3"'],
    ["llama3", "Meta Llama 3 is licensed under the Meta Llama 3 Community License"],
    ["llama3.1", "Built with Llama."],
    ["llama3.1", "Llama 3.1 is licensed under the Llama 3.1 Community License"],
    ["llama2", "Llama 2 is licensed under the LLAMA 2 Community License"],
    ["gemma", "Gemma Terms of Use found at ai.google.dev/gemma/terms"],
  ])("adds what %s asks for: %s", (id, asked) => {
    expect(merged(id, id)).toMatchObject({ id, note: expect.stringContaining(asked) as string });
    expect(merged(id, "cc-by-nc-4.0")).toMatchObject({ id: "other", note: expect.stringContaining(asked) as string });
  });

  test("of models with licences of their own refers to them", () => {
    expect(merged("other", "other")).toEqual({
      id: "other",
      note: "The models have licences of their own: see their pages.",
    });
  });
});

describe("licenceOf", () => {
  test.each([
    ["---\nlicense: apache-2.0\ntags: [a]\n---\n# A model\n", "apache-2.0"],
    ["\uFEFF---\r\nlicense: llama3.1\r\n---\r\n", "llama3.1"],
    ["---\ntags: [a]\n---\nlicense: mit\n", undefined],
    ["# A model\nlicense: mit\n", undefined],
    ["---\nlicense: unknown\n---\n", undefined],
    ["---\nlicense: [mit, apache-2.0]\n---\n", undefined],
    ["---\nlicense: |\n  mit\n  ---\n---\n", undefined],
    ["---\nlicense: '<b>mit</b>'\n---\n", undefined],
    ["---\nlicense: mit\n: {\n---\n", undefined],
    [`---\na: &a [1, 1]\nb: [${"*a, ".repeat(101)}]\nlicense: mit\n---\n`, undefined],
    [`---\nx: ${"y".repeat(1 << 17)}\nlicense: mit\n---\n`, undefined],
    ["", undefined],
  ])("finds in %j", async (card, licence) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "README.md"), card);
    expect(await licenceOf(folder)).toBe(licence);
  });

  test("finds none where there is no card", async () => {
    expect(await licenceOf(await temporaryFolder())).toBeUndefined();
  });
});
