/** The public API: everything that the command line does. */
export { ConfigError, type FileFault, UserError } from "./errors.ts";
export { diagnose } from "./doctor/diagnose.ts";
export { speedFindings } from "./doctor/speed-findings.ts";
export type { Finding } from "./doctor/finding.ts";
export { openHub, type Hub } from "./hub/api/hub.ts";
export { pushFolder, type Pushed, type PushOptions } from "./hub/transfer/push.ts";
export { fetchSources, planSources, resolveSources, type Sources, type SourceOptions } from "./experiment/sources.ts";
export { checkExperiment, type RuleReport } from "./rules/check-experiment.ts";
export {
  evaluateModels,
  type Evaluated,
  type EvaluateOptions,
  type EvaluationEvent,
} from "./lm-eval/evaluate-models.ts";
export type { RunEvent } from "./run/events.ts";
export type { LoggedEvent } from "./run/logged-event.ts";
export { planExperiment, type RunPlanOptions } from "./plan/plan-experiment.ts";
export type { RunPlan } from "./plan/run-plan.ts";
export { loadExperiment } from "./experiment/experiment-file.ts";
export { withOverrides, type Budget, type Experiment, type Overrides } from "./experiment/experiment.ts";
export { newRunFolder } from "./run/run-folder.ts";
export { launchRun, resumeRun, type Outcome, type ReopenOptions, type RunOptions } from "./run/run-experiment.ts";
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
export type { GuardedModel, JournalRecord, MovedPlaces, ScoredModel } from "./journal/records.ts";
export type { Recipe } from "./merge/recipe.ts";
export { writeTables } from "./report/write-tables.ts";
export { readRunView, type ReportOptions, writeReport, type WrittenReport } from "./report/write-report.ts";
export type { RunView } from "./report/view/run-view.ts";
