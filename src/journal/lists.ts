/** Lists and mappings that end at their first fault: zod gathers a fault for every item, of which a file may have millions. */
import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { showUntrusted } from "../files/show-untrusted.ts";

/** A list of at least `min` items. */
export function listOf<T>(item: z.ZodType<T>, min = 0): z.ZodType<T[]> {
  return z
    .array(z.unknown())
    .min(min)
    .transform((items, context) => {
      const parsed: T[] = [];
      for (const [i, value] of items.entries()) {
        const one = parseAt(item, value, i, context);
        if (one === undefined) return z.NEVER;
        parsed.push(one.data);
      }
      return parsed;
    });
}

/** A mapping from names. */
export function mapOf<T>(item: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> {
  return z.record(z.string(), z.unknown()).transform((mapping, context) => {
    const parsed: [string, T][] = [];
    for (const [name, value] of Object.entries(mapping)) {
      const one = parseAt(item, value, name, context);
      if (one === undefined) return z.NEVER;
      parsed.push([name, one.data]);
    }
    return Object.fromEntries(parsed);
  });
}

/** A list of numbers, checked at once, since it may be long. */
export function numbersOf(what: string, isOne: (value: number) => boolean): z.ZodType<number[]> {
  const isFault = (value: unknown): boolean => typeof value !== "number" || !isOne(value);
  return z.custom<number[]>((value) => Array.isArray(value) && !value.some(isFault), {
    error: ({ input }) => {
      const at = Array.isArray(input) ? input.findIndex(isFault) : -1;
      const found = Array.isArray(input) ? `${showUntrusted(input[at])} at [${at}]` : showUntrusted(input);
      return `expected a list of ${what}, found ${found}`;
    },
  });
}

function parseAt<T>(
  item: z.ZodType<T>,
  value: unknown,
  key: PropertyKey,
  context: z.core.$RefinementCtx,
): { readonly data: T } | undefined {
  const parsed = item.safeParse(value, { error: expectation, reportInput: true });
  if (parsed.success) return parsed;
  const [issue] = parsed.error.issues;
  if (issue) context.issues.push({ ...issue, path: [key, ...issue.path] } as never);
  return undefined;
}
