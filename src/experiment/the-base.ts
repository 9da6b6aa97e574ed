import type { Checkpoint } from "../checkpoint/checkpoint.ts";

/** The name of the base model among the parents. */
export const BASE = "base";

/** The base among open parents. */
export function baseOf(checkpoints: ReadonlyMap<string, Checkpoint>): Checkpoint {
  const base = checkpoints.get(BASE);
  if (!base) throw new Error("workspace: no base");
  return base;
}
