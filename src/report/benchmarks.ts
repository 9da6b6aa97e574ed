import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { parseJson } from "../files/json.ts";
import { readTextWithin } from "../files/read-file.ts";
import { UserError } from "../errors.ts";

/** A value that lm_eval reports of one model. */
export type MetricValue = z.output<typeof metricSchema>;

/** One model on the tasks and groups of a benchmark. */
export type BenchmarkedModel = z.output<typeof modelSchema>;

/** Models that lm_eval has evaluated on the same tasks with the same settings: parents first, the winner last. */
export type Benchmark = z.output<typeof benchmarkSchema>;

const metricSchema = z.strictObject({ value: z.number(), stderr: z.number().exactOptional() });

/** JSON has no infinities; an end that too few documents leave open is null there. */
const endSchema = (open: number): z.ZodType<number> =>
  z
    .number()
    .nullable()
    .transform((end) => end ?? open);

const gainSchema = z.strictObject({
  gain: z.number(),
  interval: z.tuple([endSchema(-Infinity), endSchema(Infinity)]).readonly(),
  pValue: z.number(),
});

const modelSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(["parent", "winner", "model"]),
  /** A folder, or `org/name@revision` of the Hub. */
  source: z.string(),
  /** Wall-clock time of lm_eval. */
  seconds: z.number(),
  /** By task or group. */
  scores: z.record(
    z.string(),
    z.strictObject({
      documents: z.number().exactOptional(),
      /** Whether it is part of a group, which has a value of its own. */
      isPart: z.boolean(),
      metrics: z.record(z.string(), metricSchema),
    }),
  ),
  /** The winner's gain in acc over this model on the same documents, by task or group that is not part of another. */
  gains: z.record(z.string(), gainSchema).exactOptional(),
});

const benchmarkSchema = z.strictObject({
  /** As lm_eval was asked: names with commas between them. */
  task: z.string(),
  /** Arguments of lm_eval apart from the model. */
  arguments: z.array(z.string()),
  lmEvalVersion: z.string(),
  /** How the winner was merged; absent where it was not evaluated. */
  recipe: z.unknown().optional(),
  models: z.array(modelSchema),
});

/** Means only, without the rows that they are of. */
const FILE = { what: "benchmarks", maxBytes: 2 ** 25 };

/** The benchmarks of a run, in `lm_eval/benchmarks.json` of its folder; none where nothing was evaluated. */
export async function readBenchmarks(run: string): Promise<readonly Benchmark[]> {
  const path = benchmarksPath(run);
  if (!existsSync(path)) return [];
  try {
    return z.array(benchmarkSchema).parse(parseJson(await readTextWithin(path, FILE), path, FILE.what));
  } catch (cause) {
    throw new UserError(`${path} is damaged; delete it and evaluate again, which will find what is stored`, { cause });
  }
}

/** Stores the benchmarks of a run. */
export async function writeBenchmarks(run: string, benchmarks: readonly Benchmark[]): Promise<void> {
  await writeFileAtomic(benchmarksPath(run), `${JSON.stringify(benchmarks, null, 2)}\n`);
}

/** Where they are. */
export function benchmarksPath(run: string): string {
  return join(run, "lm_eval", "benchmarks.json");
}
