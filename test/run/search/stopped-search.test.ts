import { join } from "node:path";
import { expect, test } from "vitest";
import { whyStopped } from "../../../src/run/search/stopped-search.ts";
import type { SearchState } from "../../../src/run/search/search-state.ts";
import { launch } from "../../observed-run.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { recorded, tinyExperiment } from "../../tiny-experiment.ts";
import { writeTinyModel } from "../../tiny-model.ts";

const tokenizer = join(import.meta.dirname, "../..", "fixtures", "tasks", "tokenizers", "byte-level");

/** Of a search that was flat for three generations. */
function why(generation: number): string | undefined {
  const optimizer = { generation, converged: false };
  return whyStopped({ optimizer, flat: 3, lastScored: { loss: 1 } } as unknown as SearchState);
}

test("a search that stops where it had gains says that they are over", () => {
  expect(why(3)).toMatch(/within 0\.01 % of each other, .* are the experts nearly equal to their base/);
  expect(why(9)).toMatch(/within 0\.01 % of each other, so that more of it would gain next to nothing$/);
});

test("a search whose points all fail is told to narrow its ranges, not that they are narrow", () => {
  for (const optimizer of [{ generation: 3 }, { generation: 9 }]) {
    const state = { optimizer, flat: 3, lastScored: { loss: Number.NaN } } as unknown as SearchState;
    expect(whyStopped(state)).toBe(
      "all candidates of the last 3 generations had no finite loss, so that there is nothing to choose by; merges with such coefficients overflow, or divide by zero where a formula of a plugin does; narrow the ranges of the search space",
    );
  }
});

test("a search whose coefficients change nothing stops and says why", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder, { file: { budget: { evaluations: 100 } } });
  // They differ from their base in the embedding of a token that no row has.
  for (const [i, name] of ["nature", "craft"].entries()) {
    const edit = (weight: string, values: Float32Array): void => {
      if (weight === "model.embed_tokens.weight") values.fill(i + 1, 0, 16);
    };
    await writeTinyModel(join(folder, name), { tokenizer, edit });
  }
  const { folder: run, events, outcome } = await launch(experiment, join(folder, "run"));
  expect(recorded(run, "result")).toHaveLength(3);
  expect(events).toContainEqual({
    type: "stopped",
    phase: "search",
    why: "all candidates of the last 3 generations scored within 0.01 % of each other, so that there is nothing to choose by; are the experts nearly equal to their base, or the ranges of the search space too narrow?",
  });
  expect(outcome.winner.name).toBe("base");
  expect(outcome.verdict).toBeDefined();
  // What beat the finalists is told with them, by its loss on their rows.
  const { name, scores, loss } = outcome.winner;
  const finalists = events.find((event) => event.type === "finalists");
  expect(finalists?.models.at(-1)).toEqual({ name, scores, loss });
  expect(finalists?.models.slice(0, -1)).toEqual(recorded(run, "finalists")[0]?.models);
});

test.each(["gradient-walk", "lineages"])(
  "a search by %s whose first points have no finite derivatives ends there, and the best baseline wins",
  async (algorithm) => {
    const folder = await temporaryFolder();
    const file = { search: { algorithm, rowFraction: 1 }, budget: { evaluations: 400 } };
    const experiment = await tinyExperiment(folder, { file, model: { dtype: "f32" } });
    // Task vectors that cancel out where both experts have the same weight, and lead beyond f32 everywhere else.
    for (const [name, value] of Object.entries({ base: 0, nature: 1e36, craft: -1e36 })) {
      const edit = (weight: string, values: Float32Array): void => {
        if (weight.endsWith("o_proj.weight")) values.fill(value);
        if (weight.endsWith("v_proj.weight")) values.fill(1e6);
      };
      await writeTinyModel(join(folder, name), { tokenizer, dtype: "f32", edit });
    }
    const { folder: run, events, outcome } = await launch(experiment, join(folder, "run"));
    const results = recorded(run, "result");
    expect(results).toHaveLength(1);
    const why = expect.stringMatching(/^where it begins the loss is .* but its derivatives are not finite/) as string;
    expect(events).toContainEqual({ type: "stopped", phase: "search", why });
    // Merges with equal weights are the base, which comes first.
    expect(outcome.winner.name).toBe("base");
  },
);
