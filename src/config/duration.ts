import { z } from "zod";

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const pattern = /^(\d+(?:\.\d+)?)([smh])$/;

/** A year, in seconds. */
const LONGEST = 366 * 24 * 3600;

/** A duration above zero and up to a year, written with its unit, such as `90s`, `10m` or `1.5h`; parses to seconds. */
export const durationSchema: z.ZodType<number, string> = z
  .string("a duration such as 90s, 10m or 24h")
  .regex(pattern, "a duration such as 90s, 10m or 24h")
  .transform((text) => {
    const [, amount, unit] = pattern.exec(text) ?? [];
    return Number(amount) * (secondsPerUnit[unit ?? ""] ?? Number.NaN);
  })
  .refine((seconds) => seconds > 0, "expected a duration above zero")
  .refine((seconds) => seconds <= LONGEST, `expected at most ${LONGEST / 3600}h`);
