import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { UserError } from "../../src/errors.ts";
import { Evaluator, type Selection } from "../../src/evaluate/evaluator.ts";
import { inRowOrder, promptsOf, type RowPrompts } from "../../src/evaluate/prompt.ts";
import type { Model } from "../../src/model/architecture.ts";
import { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";
import { readRows, type TaskRow } from "../../src/tasks/rows.ts";
import { scoreRow } from "../../src/tasks/score.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { distinctRecipes, moved, openTinyFamily, slopeAlong, type TinyFamily } from "./tiny-family.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "tasks");
const tokenizer = await Tokenizer.load(join(fixtures, "tokenizers", "byte-level"));
const choice = (await readRows(join(fixtures, "rows", "choice.jsonl"))).slice(0, 3);
const text = (await readRows(join(fixtures, "rows", "text.jsonl"))).slice(0, 2);

/** Rows of two tasks; one row occurs in both and one twice. */
const selection: Selection = { later: [text[1]!, choice[2]!, text[0]!, text[1]!], earlier: [...choice, text[0]!] };
const recipes = distinctRecipes(2, 2);

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

async function promptsFor(row: TaskRow, model: Model): Promise<RowPrompts> {
  const [tokenised] = await tokenizer.encode([row]);
  return promptsOf(row, tokenised!, model);
}

async function openFamily(): Promise<TinyFamily> {
  const model = { tokenizer: join(fixtures, "tokenizers", "byte-level"), config: { max_position_embeddings: 96 } };
  return openTinyFamily(await temporaryFolder(), device, { model, resident: true });
}

describe("Evaluator", () => {
  test("cuts the context of each answer for itself, as lm_eval does", async () => {
    await using family = await openFamily();
    const { model, scorer } = family;
    const evaluator = new Evaluator(scorer, tokenizer, model);
    const answers = [" in the forest", " a", " in the desert, the cave and the river", " b"];
    const row = { ...choice[0]!, id: "long", context: "The fox ".repeat(60), continuations: answers, label: 1 };
    const [evaluation] = await evaluator.evaluate([recipes[0]!], { rows: [choice[0]!, row, choice[1]!] });
    const [tokenised] = await tokenizer.encode([row]);
    const alone = tokenised!.continuations.map((ids) => {
      const kept = [...tokenised!.context, ...ids].slice(-(model.maxLength + 1));
      return { context: Int32Array.from(kept.slice(0, -ids.length)), continuations: [ids] };
    });
    expect(new Set(alone.map(({ context }) => context.length)).size).toBeGreaterThan(2);
    const { logLikelihoods } = await scorer.score([recipes[0]!], alone);
    const { loss, ...judgement } = scoreRow(
      row,
      logLikelihoods[0]!.map(([value]) => value!),
    );
    expect(evaluation!.scores["rows"]![1]).toEqual({ loss: expect.closeTo(loss, 5), ...judgement });
    expect(evaluator.cutAmong([row, row])).toBe(2);
  });

  test("scores the rows of every task, in their order, as each row scores alone", async () => {
    await using family = await openFamily();
    const evaluator = new Evaluator(family.scorer, tokenizer, family.model);
    const evaluations = await evaluator.evaluate(recipes, selection);
    expect(evaluations).toHaveLength(recipes.length);
    for (const [i, { scores }] of evaluations.entries()) {
      expect(Object.keys(scores)).toEqual(["later", "earlier"]);
      for (const [task, rows] of Object.entries(selection)) {
        expect(scores[task]).toHaveLength(rows.length);
        for (const [j, row] of rows.entries()) {
          const own = await promptsFor(row, family.model);
          const { logLikelihoods } = await family.scorer.score([recipes[i]!], own.prompts);
          const { loss, ...judgement } = scoreRow(row, inRowOrder(own, logLikelihoods[0]!));
          expect(scores[task]![j]).toEqual({ loss: expect.closeTo(loss, 5), ...judgement });
        }
      }
    }
  });

  test("gives a selection the same scores the second time", async () => {
    await using family = await openFamily();
    const evaluator = new Evaluator(family.scorer, tokenizer, family.model);
    const first = await evaluator.evaluate(recipes, selection);
    expect(await evaluator.evaluate(recipes, selection)).toEqual(first);
  });

  test("differentiates the sum of the rows' losses, each times the weight of its task", async () => {
    const model = {
      tokenizer: join(fixtures, "tokenizers", "byte-level"),
      config: { max_position_embeddings: 96 },
      dtype: "f32",
    } as const;
    await using family = await openTinyFamily(await temporaryFolder(), device, { model, resident: true });
    const evaluator = new Evaluator(family.scorer, tokenizer, family.model);
    const long = { ...choice[0]!, id: "long", context: "The fox ".repeat(60) };
    const cut: Selection = { later: [...text, long], earlier: [choice[1]!] };
    const weights = { later: 0.5, earlier: 2 };
    const [found] = await evaluator.gradient([recipes[0]!], cut, weights);
    expect(evaluator.cutAmong([long])).toBe(1);
    expect(found!.scores).toEqual((await evaluator.evaluate([recipes[0]!], cut))[0]!.scores);
    const ends = [1, -1].map((sign) => moved(recipes[0]!, recipes[1]!, sign * 2e-3));
    const [after, before] = (await evaluator.evaluate(ends, cut)).map(({ scores }) =>
      Object.entries(weights).reduce(
        (sum, [task, weight]) => scores[task]!.reduce((total, { loss }) => total + weight * loss, sum),
        0,
      ),
    );
    const slope = slopeAlong(family.model, found!.derivatives, recipes[1]!);
    expect(slope / ((after! - before!) / 4e-3)).toBeCloseTo(1, 2);
  });

  test("hands on the digest of the candidate that it was asked for, and of no other", async () => {
    await using family = await openFamily();
    const evaluator = new Evaluator(family.scorer, tokenizer, family.model);
    const { digest } = await family.scorer.score(recipes, (await promptsFor(choice[0]!, family.model)).prompts, {
      digestOf: 1,
    });
    const evaluations = await evaluator.evaluate(recipes, selection, { digestOf: 1 });
    expect(evaluations.map((evaluation) => evaluation.digest)).toEqual([undefined, digest]);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("hands on the signal and the progress", async () => {
    await using family = await openFamily();
    const evaluator = new Evaluator(family.scorer, tokenizer, family.model);
    const shares: number[] = [];
    const controller = new AbortController();
    const onProgress = (share: number): void => {
      shares.push(share);
      if (share === 0.5) controller.abort("enough");
    };
    const evaluation = evaluator.evaluate(recipes, selection, { signal: controller.signal, onProgress });
    await expect(evaluation).rejects.toBe("enough");
    expect(shares).toEqual([0.25, 0.5]);
  });

  test("refuses a row that cannot be scored before any is", async () => {
    await using family = await openFamily();
    const evaluator = new Evaluator(family.scorer, tokenizer, family.model);
    const endless = { ...text[0]!, id: "endless", continuations: [` ${"fox ".repeat(100)}`] };
    await expect(evaluator.prepare(choice)).resolves.toBeUndefined();
    await expect(evaluator.prepare([...choice, endless])).rejects.toThrow(UserError);
    await expect(evaluator.evaluate(recipes, { ...selection, endless: [endless] })).rejects.toThrow(UserError);
  });
});
