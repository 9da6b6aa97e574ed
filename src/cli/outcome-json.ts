import { resolve } from "node:path";
import type { Outcome } from "../run/carry-on.ts";

/** An outcome for programs, with what an export adds to it: its folder as an absolute path, and the winner's recipe once. */
export function outcomeJson(outcome: Outcome): object {
  const { folder, verdict, front } = outcome;
  const models = verdict?.models.map(({ recipe, ...model }) =>
    model.kind === "winner" ? model : { ...model, recipe },
  );
  return {
    ...outcome,
    folder: resolve(folder),
    ...(front && { front: front.members }),
    ...(verdict && { verdict: { ...verdict, models } }),
  };
}
