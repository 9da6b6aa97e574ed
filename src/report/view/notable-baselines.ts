import type { RecordPayloads } from "../../journal/records.ts";
import type { Standing } from "../../journal/standing.ts";

/** The baselines that the winner is judged by: of a sweep of one weight the best. All, as long as that is not known. */
export function notableBaselines({
  baselines,
  verdict,
}: Pick<Standing, "baselines" | "verdict">): RecordPayloads["baselines"]["models"] {
  const all = baselines?.models ?? [];
  const judged = new Set(verdict?.models.map(({ name }) => name));
  return verdict ? all.filter(({ name }) => judged.has(name)) : all;
}
