/** The turning of queries and keys, which depends on how long a sequence is where a decoder has other periods for long ones. */
import { rope, type Expression } from "../device/expression.ts";
import { everyLength, type Model, type Spans } from "./architecture.ts";
import type { TokenBatch } from "./token-batch.ts";
import type { Decoder } from "./decoder-config.ts";
import { named } from "./stage-parts.ts";

/** The lengths of sequences that are told apart, and the periods of each. */
export function rotationOf({
  periods,
  long_periods: long,
}: Decoder): Pick<Model, "spans" | "rereadsGrownTexts" | "constants"> {
  if (!long) return { spans: everyLength, constants: { [periodsOf("every")]: periods } };
  const spans: Spans = { short: [0, long.above], long: [long.above, Infinity] };
  const { rereadsGrownTexts } = long;
  return { spans, rereadsGrownTexts, constants: { [periodsOf("short")]: periods, [periodsOf("long")]: long.periods } };
}

/** x f32 [n, heads, width] at its positions. Where they are 0, as in sequences of another span, nothing turns. */
export function turn(
  x: Expression,
  { positions, constants }: Pick<TokenBatch, "positions" | "constants">,
  factor: number,
): Expression {
  return Object.entries(positions).reduce(
    (turned, [span, own], i) => rope(turned, own, named(constants, periodsOf(span)), i === 0 ? factor : 1),
    x,
  );
}

function periodsOf(span: string): string {
  return `periods ${span}`;
}
