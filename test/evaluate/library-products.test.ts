import { expect, test } from "vitest";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { describeLibraries } from "../device/ggml/product-libraries.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { distinctRecipes, openTinyFamily, randomPrompts } from "./tiny-family.ts";

/** Large enough for a library's products in every batch but the last. */
const options = { model: { layers: 2, hidden: 256 }, batchTokens: 192 };

describeLibraries("scores with products", ({ file }) => {
  test.each(["f32", "bf16"] as const)(
    "have the same bits in any pass, on any lane and on another device: %s",
    async (precision) => {
      const prompts = randomPrompts(60);
      const recipes = distinctRecipes(3, 2);
      await using observed = new ObservedDevice(await openGgml({ backend: "cpu", products: file }));
      await using family = await openTinyFamily(await temporaryFolder(), observed, { ...options, precision });
      const together = await family.scorer.score(recipes, prompts, { digestOf: 1 });
      expect(new Set(together.logLikelihoods.map(String)).size).toBe(3);

      // Batches in passes of their own.
      observed.claimed = { capacityBytes: 2 ** 20 };
      expect(await family.scorer.score(recipes, prompts, { digestOf: 1 })).toEqual(together);
      observed.claimed = undefined;

      // One candidate, its batches on several lanes.
      observed.concurrency = 3;
      const alone = await family.scorer.score([recipes[1]!], prompts, { digestOf: 0 });
      expect(alone.logLikelihoods[0]).toEqual(together.logLikelihoods[1]);

      // As a resumed run has it; and merged weights are those of ggml alone.
      await using again = await openGgml({ backend: "cpu", products: file });
      await using other = await openTinyFamily(await temporaryFolder(), again, { ...options, precision });
      expect(await other.scorer.score(recipes, prompts, { digestOf: 1 })).toEqual(together);
      await using ggml = await openGgml({ backend: "cpu", products: "ggml" });
      await using plain = await openTinyFamily(await temporaryFolder(), ggml, { ...options, precision });
      const byGgml = await plain.scorer.score(recipes, prompts, { digestOf: 1 });
      expect(byGgml.digest).toBe(together.digest);
      expect(byGgml.logLikelihoods).not.toEqual(together.logLikelihoods);
    },
  );
});
