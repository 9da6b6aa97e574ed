import type { Benchmark, BenchmarkedModel, MetricValue } from "./benchmarks.ts";
import type { Table } from "./table.ts";
import { amountText, type JudgedGain, judgeGains, type Judgement } from "./judgement.ts";
import { gainCells, isUncorrected, UNCORRECTED } from "./verdict-table.ts";

/** Values of the CSV, by column. */
export type BenchmarkRow = Readonly<Record<string, string | number>>;

/** A benchmark in tables and sentences. */
export interface BenchmarkView {
  readonly tasks: readonly { readonly task: string; readonly table: Table; readonly sentences: readonly string[] }[];
  /** What the benchmark lacks. */
  readonly said: readonly string[];
  readonly provenance: string;
}

/** What there is to see of a benchmark, of a run whose winner has this recipe. */
export function benchmarkView(benchmark: Benchmark, recipe: unknown): BenchmarkView {
  const { lmEvalVersion, arguments: asked, models } = benchmark;
  const isOfAnother =
    benchmark.recipe !== undefined &&
    recipe !== undefined &&
    JSON.stringify(benchmark.recipe) !== JSON.stringify(recipe);
  return {
    tasks: wholeTasks(benchmark).map((task) => ({
      task,
      table: benchmarkTable(benchmark, task),
      sentences: benchmarkSentences(benchmark, task),
    })),
    said: [
      ...(isOfAnother ? ["This winner is an earlier one than the run's; evaluate the run again."] : []),
      ...(models.some(({ kind }) => kind === "winner")
        ? []
        : ["The winner has not been evaluated with these settings."]),
    ],
    provenance: `lm_eval ${lmEvalVersion} with \`${asked.join(" ")}\`: value ± standard error; the winner's gain in acc is paired by document, with 95 % interval and a two-sided p-value that is corrected for all comparisons of the benchmark (Holm).`,
  };
}

/** The tasks and groups of a benchmark that are not part of another group. */
export function wholeTasks({ models }: Benchmark): readonly string[] {
  const names = models.flatMap(({ scores }) => Object.entries(scores).filter(([, { isPart }]) => !isPart));
  return [...new Set(names.map(([name]) => name))];
}

/** Every model on one task or group: each metric with its standard error, the time, and the winner's gain in acc. */
export function benchmarkTable(benchmark: Benchmark, task: string): Table {
  const { models } = benchmark;
  const judged = judgeOn(benchmark, task);
  const metricsOf = ({ scores }: BenchmarkedModel): Readonly<Record<string, MetricValue>> =>
    scores[task]?.metrics ?? {};
  const metrics = [...new Set(models.flatMap((model) => Object.keys(metricsOf(model))))];
  const compared = models.some(({ gains }) => gains?.[task] !== undefined);
  return {
    header: ["model", ...metrics, "seconds", ...(compared ? ["winner's gain in acc", "p (Holm)", "winner is"] : [])],
    rows: models.map((model) => {
      return [
        model.name,
        ...metrics.map((metric) => metricCell(metricsOf(model)[metric])),
        model.seconds.toFixed(0),
        ...(compared ? gainCells(judged.get(model.name), 4) : []),
      ];
    }),
  };
}

/** How the winner compares with its parents on one task or group, said so that a lack of gain is as plain as a gain. */
export function benchmarkSentences(benchmark: Benchmark, task: string): string[] {
  const parents = new Set(benchmark.models.filter(({ kind }) => kind === "parent").map(({ name }) => name));
  const all = [...judgeOn(benchmark, task)];
  const judged = all.filter(([name]) => parents.has(name));
  if (judged.length === 0) return [];
  const named = (wanted: Judgement): string =>
    list(
      judged.flatMap(([name, { judgement, amount }]) =>
        judgement === wanted ? [amount === "" ? name : `${name} (${amount})`] : [],
      ),
    );
  const [better, worse, neither] = [named("better"), named("worse"), named("neither")];
  return [
    ...(better ? [`On ${task} the winner is significantly better than ${better}.`] : []),
    ...(neither ? [`On ${task} the winner shows no significant gain over ${neither}.`] : []),
    ...(worse ? [`On ${task} the winner is significantly worse than ${worse}.`] : []),
    ...(all.some(([, gain]) => isUncorrected(gain)) ? [UNCORRECTED] : []),
  ];
}

/** The winner's gains on one task by model, corrected for all comparisons of the benchmark. */
function judgeOn({ models }: Benchmark, task: string): ReadonlyMap<string, JudgedGain> {
  const all = models.flatMap(({ name, gains = {} }) =>
    Object.entries(gains).map(([own, gain]) => ({ name, task: own, gain })),
  );
  const judged = judgeGains(
    all.map(({ gain }) => gain),
    ({ gain }) => amountText(100 * Math.abs(gain), "points"),
  );
  return new Map(
    all.flatMap((one, i) => {
      const gain = judged[i];
      return one.task === task && gain ? [[one.name, gain] as const] : [];
    }),
  );
}

/** One row a value: model by task or group, parts of groups included, by metric. */
export function benchmarkRows(benchmarks: readonly Benchmark[]): readonly BenchmarkRow[] {
  return benchmarks.flatMap(({ arguments: asked, lmEvalVersion, models }) =>
    models.flatMap(({ name, seconds, scores, gains }) =>
      Object.entries(scores).flatMap(([task, { documents = "", metrics }]) =>
        Object.entries(metrics).map(([metric, { value, stderr = "" }]) => {
          const gain = metric === "acc" ? gains?.[task] : undefined;
          return {
            // Not only the task: benchmarks may differ in any argument.
            asked: asked.join(" "),
            lm_eval: lmEvalVersion,
            model: name,
            task,
            metric,
            value,
            stderr,
            documents,
            seconds,
            winner_gain: gain?.gain ?? "",
            gain_lower: gain?.interval[0] ?? "",
            gain_upper: gain?.interval[1] ?? "",
            p: gain?.pValue ?? "",
          };
        }),
      ),
    ),
  );
}

function metricCell(metric: MetricValue | undefined): string {
  if (!metric) return "";
  const { value, stderr } = metric;
  return stderr === undefined ? value.toFixed(4) : `${value.toFixed(4)} ± ${stderr.toFixed(4)}`;
}

function list(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
