/** Search spaces of layer stacks: which layers of the parents stand one behind the other (the data flow space of Akiba et al. 2024). */
import { z } from "zod";
import { MAX_VALUE } from "../merge/recipe.ts";

export interface StackSpace {
  readonly method: "stack";
  /** Layers of the result: so many, or at most so many. */
  readonly layers: { readonly exactly: number } | { readonly atMost: number };
  /** How far from its own place a layer may be taken: layers of a parent before or behind that, or from anywhere. */
  readonly window: number | "any";
  /** What that which a layer adds is multiplied by: the same for all, or a range that each has a gene in. */
  readonly scale: number | ScaleSpace;
}

export interface ScaleSpace {
  readonly range: readonly [number, number];
  /** Initial standard deviation. */
  readonly sigma: number;
}

/** A position has four genes at most, and a journal all genes of each generation. */
const MAX_POSITIONS = 1000;

const positions = z.int().min(1).max(MAX_POSITIONS);
const value = z.number().min(-MAX_VALUE).max(MAX_VALUE);

const scaleSchema: z.ZodType<ScaleSpace> = z
  .strictObject({
    range: z
      .tuple([value, value], "a list of two numbers")
      .refine(([low, high]) => low < high, {
        abort: true,
        error: ({ input }) => `expected the lower end before the higher one, found ${JSON.stringify(input)}`,
      })
      .refine(([low, high]) => low <= 1 && high >= 1, {
        abort: true,
        error: ({ input }) => `expected a range with 1 in it, where a search begins, found ${JSON.stringify(input)}`,
      })
      .default([0.5, 1.5]),
    sigma: z.number().min(1e-6).default(0.1),
  })
  .refine(({ range: [low, high], sigma }) => sigma <= (high - low) / 3, {
    path: ["sigma"],
    error: "expected at most a third of the range",
  });

/** A search-space file of layer stacks; what it is used as can be written again. */
export const stackSpaceSchema = z.strictObject({
  method: z.literal("stack").describe("layers of the parents, one behind the other"),
  layers: z
    .union([z.strictObject({ exactly: positions }), z.strictObject({ atMost: positions })])
    .describe("number of layers of the result: exactly so many, or atMost so many"),
  window: z
    .union([z.literal("any"), z.int().min(0).max(MAX_POSITIONS)])
    .default(1)
    .describe("how many layers before or behind its own place a layer may be taken from; any is no limit"),
  scale: z
    .union([value, scaleSchema])
    .prefault({})
    .describe(
      "what that which a layer adds to the hidden states is multiplied by: the same for all, or a range to search",
    ),
});
