/** Between tokens one behind the other, as all but attention has them, and their places in sequences. */
import { gatherRows, reshape, type Expression } from "../device/expression.ts";
import type { ReadRows, TokenRows } from "./token-batch.ts";

/** x [tokens, width] to f32 [sequences * length, width]. */
export function toPlaces(x: Expression, { placing }: TokenRows): Expression {
  return placing ? gatherRows(x, placing.tokenAt, placing.placeOf) : x;
}

/** x [sequences * length, width] to f32 [tokens, width]. */
export function fromPlaces(x: Expression, { placing }: TokenRows): Expression {
  return placing ? gatherRows(x, placing.placeOf, placing.tokenAt) : x;
}

/** Of a batch's mask f32 [sequences, its length, columns] the rows of what is read: f32 [sequences, length, columns]. */
export function maskOfReads(mask: Expression, { sequences, length, places }: ReadRows): Expression {
  const [, rows = 0, columns = 0] = mask.shape;
  return reshape(gatherRows(reshape(mask, [sequences * rows, columns]), places), [sequences, length, columns]);
}
