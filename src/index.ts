/** The public API: everything that the command line does. */
export { ConfigError, type FileFault, UserError } from "./errors.ts";
export { diagnose } from "./doctor/diagnose.ts";
export { speedFindings } from "./doctor/speed-findings.ts";
export type { Finding } from "./doctor/finding.ts";
export { openHub, type Hub } from "./hub/api/hub.ts";
export { pushFolder, type Pushed, type PushOptions } from "./hub/transfer/push.ts";
export { fetchSources, planSources } from "./experiment/fetch-sources.ts";
export { resolveSources, type Sources, type SourceOptions } from "./experiment/sources.ts";
export { checkExperiment, type RuleReport } from "./rules/check-experiment.ts";
export {
  evaluateModels,
  type Evaluated,
  type EvaluateOptions,
  type EvaluationEvent,
} from "./lm-eval/evaluate-models.ts";
export {
  type ExperimentGenome,
  openExperiment,
  type OpenedExperiment,
  type OpenExperimentOptions,
  type MergeRecipeOptions,
  type RecipeScores,
  type ScoreRecipesOptions,
} from "./library/open-experiment.ts";
export type { GivenCoefficients, GivenValue } from "./library/given-coefficients.ts";
export { type AnySpace, loadSpace } from "./space/spaces.ts";
export type { ParameterSpace, SearchSpace } from "./space/search-space.ts";
export type { StackSpace } from "./space/stack-space.ts";
export type { Gene } from "./space/coefficient.ts";
export type { Selection } from "./evaluate/evaluator.ts";
export { readRows, type ReadRowsOptions, type TaskRow } from "./tasks/rows.ts";
export type { RowScore, Summary } from "./tasks/score.ts";
export type {
  EngineOptions,
  EnginePlugin,
  MethodPlugin,
  OptimizerPlugin,
  Plugin,
  PluginLoss,
  PluginMetric,
  PluginRow,
  RandomNumbers,
  TaskPlugin,
} from "./plugins/plugin.ts";
export type { PluginModule } from "./plugins/load-plugins.ts";
export type { PluginName } from "./files/plugin-name.ts";
export type { Candidate, Optimizer, OptimizerOptions, Restart, Score } from "./search/optimizer.ts";
export type { Phase, RunEnd, RunEvent } from "./run/session/events.ts";
export type { LoggedEvent } from "./run/session/logged-event.ts";
export { planExperiment, type RunPlanOptions } from "./plan/plan-experiment.ts";
export type { RunPlan } from "./plan/run-plan.ts";
export { loadExperiment } from "./experiment/experiment-file.ts";
export {
  withOverrides,
  type Budget,
  type DatasetSource,
  type Experiment,
  type Expert,
  type Overrides,
  type Precision,
  type RowSource,
  type SearchOptions,
  type TaskFiles,
} from "./experiment/experiment.ts";
export type { GivenRecipe } from "./experiment/given-recipe.ts";
export type { Task } from "./experiment/load-tasks.ts";
export type { Device, DeviceDtype, DeviceMemory, DeviceTensor, Incoming } from "./device/device.ts";
export type { Expression } from "./device/expression.ts";
export type { EngineName } from "./device/engine-names.ts";
export type { OptimizerName } from "./search/optimizers.ts";
export type { ChoiceLossName } from "./tasks/row-loss.ts";
export { newRunFolder } from "./run/run-folder.ts";
export { launchRun } from "./run/launch-run.ts";
export { resumeRun } from "./run/resume-run.ts";
export type { Outcome } from "./run/carry-on.ts";
export type { ReopenOptions, RunOptions } from "./run/run-options.ts";
export { scoreModel, type ModelScores, type ScoreModelOptions } from "./experiment/score-model.ts";
export { logProbabilities, type LogProbabilitiesOptions } from "./experiment/log-probabilities.ts";
export { generate, type GenerateOptions } from "./experiment/generate.ts";
export type { GeneratedText } from "./generate/generate-texts.ts";
export type { TokenIds } from "./experiment/token-ids.ts";
export { rouge, type RougeOptions, type RougeScore, type RougeScores } from "./rouge/rouge.ts";
export { exportRun, type ExportOptions, type ExportResult } from "./export/export-run.ts";
export {
  mergeModels,
  type MergedModel,
  type MergeEvent,
  type MergeModelsOptions,
} from "./export/from-recipe/merge-models.ts";
export type { MergekitRecipeInput } from "./mergekit/recipe-file.ts";
export { readJournal, type JournalView } from "./journal/journal.ts";
export type {
  Gain,
  GuardedModel,
  JournalRecord,
  ModelLosses,
  MovedPlaces,
  RecordPayloads,
  RecordType,
  ScoredModel,
  TaskScore,
  TaskScores,
} from "./journal/records.ts";
export type {
  CopyRecipe,
  Curve,
  Curves,
  MergeRecipe,
  Recipe,
  StackedLayer,
  StackRecipe,
  WeightwiseRecipe,
} from "./merge/recipe.ts";
export type { MergeMethod, MethodName } from "./merge/declarations.ts";
export type { FormulaMethod, FormulaParameter } from "./merge/formula-method.ts";
export type { Options } from "./merge/method.ts";
export { rerankRun, type RerankedModel, type Reranking, type TaskWeights } from "./report/rerank/rerank-run.ts";
export { writeTables } from "./report/write-tables.ts";
export { readRunView, type ReportOptions, writeReport, type WrittenReport } from "./report/write-report.ts";
export type { RunView } from "./report/view/run-view.ts";
export { watchRun, type WatchedRun, type WatchOptions } from "./watch/watch-run.ts";
export { compareRuns, type RunsComparison } from "./report/compare/compare-runs.ts";
