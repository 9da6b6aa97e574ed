import { z } from "zod";
import { anyOf } from "./expectation.ts";

/** The key that was given and its value. */
export type Choice<Shape extends Readonly<Record<string, z.ZodType>>> = {
  [Key in keyof Shape]: { readonly key: Key; readonly value: z.output<Shape[Key]> };
}[keyof Shape];

/** A mapping that has exactly one of the keys of `shape`, for choices written as `{ dct: 3 }` or `{ time: 1h }`. */
export function exactlyOneKey<Shape extends Readonly<Record<string, z.ZodType>>>(
  shape: Shape,
): z.ZodType<Choice<Shape>> {
  const expected = `expected exactly one key, ${anyOf(Object.keys(shape))}`;
  return z
    .strictObject(shape)
    .partial()
    .refine((mapping) => Object.keys(mapping).length === 1, {
      error: ({ input }) => `${expected}; found ${Object.keys(input as object).join(" and ") || "none"}`,
    })
    .meta({ minProperties: 1, maxProperties: 1 })
    .transform((mapping) => {
      const [[key, value] = []] = Object.entries(mapping);
      return { key, value } as Choice<Shape>;
    });
}
