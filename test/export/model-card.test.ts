import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { modelCard } from "../../src/export/model-card.ts";
import type { Outcome } from "../../src/run/carry-on.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

/** The card of a copy of an expert, without scores. */
function card(
  base: string,
  experts: Readonly<Record<string, string>>,
  licences: Readonly<Record<string, string>>,
  drawn: readonly string[] = [],
  recipe: object = { method: "passthrough", model: "nature" },
): string {
  const outcome = {
    folder: "run",
    drawn,
    winner: { name: "expert", recipe, scores: {}, loss: 1 },
    experiment: {
      name: "demo",
      base,
      experts: Object.entries(experts).map(([name, path]) => ({ name, path })),
      tasks: [],
      seed: 1,
      budget: { seconds: 60 },
    },
  } as unknown as Outcome;
  const run = ["engine: ggml on CPU", "time: 9 s"];
  return modelCard(outcome, {
    weightsDigest: "d1",
    version: "1.2.3",
    run,
    licences: new Map(Object.entries(licences)),
  });
}

function frontMatter(text: string): unknown {
  return parse(/^---\n(.*?)---\n/s.exec(text)?.[1] ?? "");
}

describe("modelCard", () => {
  test("tells the Hub the models that it was made of and their common licence", () => {
    const experts = { nature: `org/nature@${commit}`, craft: "org/craft@main", again: "org/nature@v2" };
    const text = card("org/base@main", experts, { base: "llama3", nature: "llama3", craft: "llama3", again: "llama3" });
    expect(frontMatter(text)).toEqual({
      library_name: "transformers",
      tags: ["merge", "evomerge"],
      base_model: ["org/base", "org/nature", "org/craft"],
      base_model_relation: "merge",
      license: "llama3",
    });
    expect(text).toContain(
      "\n## Licence\n\nAll models are under the licence `llama3`, and so is the merge. Built with",
    );
  });

  test("links every parent at the revision that was merged, with its licence", () => {
    const text = card("/models/base", { nature: `org/nature@${commit}` }, { nature: "mit" });
    expect(text).toContain(`
- base: a local model, licence not stated
- nature: [org/nature](https://huggingface.co/org/nature/tree/${commit}) at \`${commit}\`, licence mit
`);
    expect(frontMatter(text)).toMatchObject({ base_model: ["org/nature"], license: "other" });
  });

  test("says how it was found, and that a part of the rows was used, where it was", () => {
    const facts = "\n## Search\n\n- engine: ggml on CPU\n- time: 9 s\n";
    const text = card("/models/base", {}, {}, ["All is on a part of the rows."]);
    expect(text).toContain(`Digest of the weights: \`d1\`.\n${facts}- All is on a part of the rows.\n\n## Scores`);
    expect(card("/models/base", {}, {})).toContain(`${facts}\n## Scores`);
  });

  test("claims no parent on the Hub for folders", () => {
    const matter = frontMatter(card("/models/base", { nature: "/models/nature" }, {}));
    expect(matter).toEqual({ library_name: "transformers", tags: ["merge", "evomerge"], license: "other" });
  });
});

function curve(value: number): object {
  return { layers: [value, value], rest: value };
}

test("a parameter of the whole model is listed once, those of experts for each", () => {
  const parameters = {
    weight: { all: { nature: curve(0.25), craft: curve(0.5) } },
    lambda: { all: { nature: curve(0.75), craft: curve(0.75) } },
  };
  const experts = { nature: "org/nature@main", craft: "org/craft@main" };
  const text = card("org/base@main", experts, {}, [], { method: "ties", parameters });
  expect(text.replaceAll(/ {2,}|-{2,}/g, " ")).toMatch(
    /\| weight [^|]*\| nature \| craft \|\n.*\n\| all *\| 0\.250 \| 0\.500 \|/,
  );
  expect(text.replaceAll(/ {2,}|-{2,}/g, " ")).toMatch(/\| lambda [^|]*\| all experts \|\n.*\n\| all *\| 0\.750 *\|\n/);
});
