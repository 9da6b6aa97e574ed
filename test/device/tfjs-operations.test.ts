import { expect, test } from "vitest";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { distinctRecipes, openTinyFamily, randomPrompts, type TinyFamily } from "../evaluate/tiny-family.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { countOperations } from "./counted-operations.ts";
import { nativeTfjs } from "./installed-package.ts";

type Work = (family: TinyFamily, layers: number) => Promise<unknown>;

const prompts = randomPrompts(6);
const score: Work = ({ scorer }, layers) => scorer.score(distinctRecipes(1, layers), prompts);
const differentiate: Work = ({ scorer }, layers) =>
  scorer.gradient(
    distinctRecipes(1, layers),
    prompts.map((prompt) => ({ prompts: [prompt], derivative: (values) => values })),
  );

/** What one layer more takes, once parents and constants are on the device. */
async function operationsOfLayer(work: Work, precision: Dtype): Promise<number> {
  await using device = await openTfjs(nativeTfjs);
  const totals: number[] = [];
  for (const layers of [3, 4]) {
    const options = { model: { layers, hidden: 32 }, resident: true, batchTokens: 1024, precision };
    await using family = await openTinyFamily(await temporaryFolder(), device, options);
    await work(family, layers);
    const counts = await countOperations(() => work(family, layers));
    totals.push(Object.values(counts).reduce((sum, count) => sum + count, 0));
  }
  return totals[1]! - totals[0]!;
}

// Each operation is a launch on a GPU: fewer may be told here, more need a reason.
test.skipIf(!nativeTfjs).each([
  { what: "merging and computing a layer", work: score, precision: "f32", most: 152 },
  { what: "merging and computing a layer", work: score, precision: "bf16", most: 156 },
  { what: "the way there and back", work: differentiate, precision: "f32", most: 418 },
] as const)("$what of two experts in $precision takes at most $most operations", async ({ work, precision, most }) => {
  expect(await operationsOfLayer(work, precision)).toBeLessThanOrEqual(most);
});
