import type { Device } from "../device/device.ts";
import type { EngineName } from "../device/engine-names.ts";
import type { FormulaMethod } from "../merge/formula-method.ts";
import type { Optimizer, OptimizerOptions } from "../search/optimizer.ts";
import type { OptimizerKind } from "../search/optimizers.ts";

/** What the module of a plugin exports as its default. Experiments call what it provides `<name>/<its name>`. */
export interface Plugin {
  /** Letters, digits, `_`, `-` and `.`; no digit first. */
  readonly name: string;
  /** For people; a run tells plugins apart by the bytes of their modules. */
  readonly version?: string;
  /** By name: `format` of a task. */
  readonly tasks?: Readonly<Record<string, TaskPlugin>>;
  /** By name: `algorithm` of a search. */
  readonly optimizers?: Readonly<Record<string, OptimizerPlugin>>;
  /** By name: `method` of a search space or recipe. */
  readonly methods?: Readonly<Record<string, MethodPlugin>>;
  /** By name: `engine` of an experiment. */
  readonly engines?: Readonly<Record<string, EnginePlugin>>;
}

/** Where tensors are merged and models run. */
export interface EnginePlugin {
  /** A device of its own each time, which its caller closes. */
  open(options: EngineOptions): Device | Promise<Device>;
}

export interface EngineOptions {
  /** The least exact format that factors of products of f32 may be rounded to. */
  readonly precision: "f32" | "bf16" | "auto";
  /** Opens an engine that is built in, for one that adds something to it; a UserError where it does not run here. */
  readonly openBuiltIn: (name: EngineName) => Promise<Device>;
}

/** A merge method, by its formula. */
export type MethodPlugin = Omit<FormulaMethod, "name">;

/** What a row asks of a model, and what its answer is worth. */
export interface TaskPlugin<Data = unknown> {
  /** Columns that it reads; of a parquet file no others are read. */
  readonly columns: readonly string[];
  /** The prompt of a row. An Error that it throws is told with the file and line of the row. */
  row(values: Readonly<Record<string, unknown>>): PluginRow<Data>;
  /**
   * The loss of a row and its derivatives by the log-likelihoods of its answers (natural logarithms, summed over tokens, all
   * finite), in their order. Without it a row with answers to choose from has the loss that its task names, a text nats per byte.
   */
  loss?(row: PluginRow<Data>, logLikelihoods: readonly number[]): PluginLoss;
  /** Whether the model is right, of which the accuracy is the mean; that the likeliest answer is the one of `label`, unless given. */
  isRight?(row: PluginRow<Data>, logLikelihoods: readonly number[]): boolean;
  /** What is told of baselines and winners beside loss and accuracy, by names like a plugin's. Nothing is searched or chosen by it. */
  readonly metrics?: Readonly<Record<string, PluginMetric<Data>>>;
}

/**
 * What a row measures of a model by the log-likelihoods of its answers, as `loss` has them: a finite number, of which the
 * mean over the rows is told.
 */
export type PluginMetric<Data = unknown> = {
  // As a method, so that a task with data of its own is a `TaskPlugin`, as it is with its other functions.
  measure(row: PluginRow<Data>, logLikelihoods: readonly number[]): number;
}["measure"];

export interface PluginRow<Data = unknown> {
  /** What a model reads. */
  readonly context: string;
  /** What may follow behind a space: two answers or more to choose from, or the one text that is to follow. */
  readonly answers: readonly string[];
  /** Index of the right answer; 0 unless given. */
  readonly label?: number;
  /** What the loss needs beside that, which JSON can hold. */
  readonly data?: Data;
  /** Rows of one group stay together, on one side of search and guard; rows about one passage unless given. */
  readonly group?: string;
  /** The text that rows about the same thing have in common; the context unless given. */
  readonly passage?: string;
}

export interface PluginLoss {
  readonly loss: number;
  readonly derivatives: readonly number[];
}

/** A search over the unit cube. It must ask for the same points whenever it is told the same scores: that is how a run is resumed. */
export interface OptimizerPlugin extends Pick<OptimizerKind, "beside" | "usesGradients"> {
  /** Candidates of a generation, beside its reference where that is none of them, by the number of genes; or one that walks. */
  readonly population: ((dimension: number) => number) | "one point";
  readonly create: (options: OptimizerOptions, random: RandomNumbers) => Optimizer;
}

/** Random numbers that follow from the experiment's seed; any others would make a run that cannot be resumed. */
export interface RandomNumbers {
  /** In [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Of 0 to n - 1. */
  integer(n: number): number;
}
