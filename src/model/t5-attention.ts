/** Attention of a T5, within a stack or to what the encoder made; its scores are not scaled, which the initial weights make up for. */
import { concat, gatherRows, permute, reshape, type Expression } from "../device/expression.ts";
import { attendTo, headsOutside } from "../device/layers.ts";
import type { StageTensors, State } from "./architecture.ts";
import { named } from "./stage-parts.ts";
import type { T5 } from "./t5-config.ts";
import type { T5Parts } from "./t5-parts.ts";

/** Keys and values by the names that they have in a state, f32 [sequences, heads, tokens, d_kv]. */
export type Seen = Readonly<Record<"keys" | "values", Expression>>;

/** Weights that an attention has, by the beginnings of their roles. */
type Prefix = "self" | "cross";

/** Those of x f32 [sequences * length, d_model], behind those of earlier tokens where there are any. */
export function seenOf(
  { num_heads: heads, d_kv: width }: T5,
  { project }: T5Parts,
  weights: StageTensors,
  prefix: Prefix,
  { x, sequences, past = {} }: { readonly x: Expression; readonly sequences: number; readonly past?: State },
): Seen {
  const length = (x.shape[0] ?? 0) / sequences;
  const of = (role: "key" | "value"): Expression => {
    const own = headsOutside(reshape(project(weights, `${prefix} ${role}`, x), [sequences, length, heads, width]));
    const before = past[`${role}s`];
    return before ? concat(before, own, 2) : own;
  };
  return { keys: of("key"), values: of("value") };
}

interface Attended {
  readonly sequences: number;
  /** f32 [sequences * length, d_model] */
  readonly x: Expression;
  readonly seen: Seen;
  /** f32 [sequences, length, tokens that are seen] */
  readonly mask: Expression;
  readonly bias?: Expression;
  /** The rows whose output is wanted; all unless given. */
  readonly read?: (x: Expression) => Expression;
}

/** f32 [rows that are read, d_model] */
export function attend(
  { num_heads: heads, d_kv: width }: T5,
  { project, precision }: T5Parts,
  weights: StageTensors,
  prefix: Prefix,
  { sequences, x, seen, mask, bias, read = (rows) => rows }: Attended,
): Expression {
  const length = (x.shape[0] ?? 0) / sequences;
  const query = reshape(project(weights, `${prefix} query`, x), [sequences, length, heads, width]);
  const mixed = attendTo({ query, ...seen, mask, bias }, { factor: 1, precision });
  return project(weights, `${prefix} output`, read(mixed));
}

/** What is added to the scores of each head, f32 [batch, heads, length, seen], by how far apart tokens are. */
export function biasesOf(
  { num_heads: heads }: T5,
  weights: StageTensors,
  distances: Expression,
  [batch, length, seen]: readonly [number, number, number],
): Expression {
  const found = gatherRows(named(weights, "self biases"), distances);
  return permute(reshape(found, [batch, length, seen, heads]), [0, 3, 1, 2]);
}
