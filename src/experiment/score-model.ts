import { readRows, type TaskRow } from "../tasks/rows.ts";
import type { MmluFormat } from "../tasks/row-formats.ts";
import { summarise, type RowScore, type Summary } from "../tasks/score.ts";
import type { EngineName, Precision } from "./experiment-file.ts";
import { BASE, openWorkspace } from "./workspace.ts";

export interface ScoreModelOptions {
  /** Model folder. */
  readonly model: string;
  /** File of rows, as JSON lines. */
  readonly rows: string;
  /** Rendering of MMLU rows. */
  readonly format?: MmluFormat | undefined;
  /** Whether MMLU rows begin with lm_eval's description of their subject; true unless given. */
  readonly description?: boolean | undefined;
  /** Number of rows to score, from the first. */
  readonly limit?: number | undefined;
  readonly engine?: EngineName | undefined;
  readonly precision?: Precision | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface ModelScores extends Summary {
  readonly engine: string;
  readonly precision: string;
  /** In the order of the file. */
  readonly scores: readonly (RowScore & Pick<TaskRow, "id">)[];
}

/** Scores one model on a file of rows. */
export async function scoreModel(options: ScoreModelOptions): Promise<ModelScores> {
  const { format, description = true, limit = Infinity, engine = "auto", precision = "auto" } = options;
  const all = await readRows(options.rows, { description, ...(format === undefined ? {} : { format }) });
  const rows = all.slice(0, limit);
  await using workspace = await openWorkspace({ base: options.model, experts: [], engine, precision });
  const { signal, onProgress } = options;
  const recipes = [{ method: "passthrough", model: BASE }] as const;
  const [evaluation] = await workspace.evaluator.evaluate(recipes, { rows }, { signal, onProgress });
  const scores = evaluation?.scores["rows"] ?? [];
  return {
    ...summarise(rows, scores),
    engine: workspace.device.name,
    precision: workspace.precision,
    scores: scores.map((score, i) => Object.assign({ id: rows[i]?.id ?? "" }, score)),
  };
}
