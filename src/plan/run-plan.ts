import type { Budget, Experiment } from "../experiment/experiment.ts";
import type { ResolvedPrecision } from "../experiment/precision.ts";
import type { Expectations } from "../run/baselines/expectations.ts";
import type { Binding } from "./limits.ts";
import type { MeasuredSpeed } from "./measured-speed.ts";

/** What a run of an experiment takes on this machine, told without its weights. */
export interface RunPlan {
  readonly experiment: Experiment["name"];
  readonly engine: string;
  /** Of this machine, that score side by side. */
  readonly devices: number;
  /** What they compute at once. */
  readonly lanes: number;
  readonly precision: ResolvedPrecision;
  readonly budget: Budget;
  readonly speed: MeasuredSpeed;
  /** By the functions that a run forecasts with. */
  readonly expected: Expectations;
  /** Candidates that the search scores within the budget, and of those with gradients one step each. */
  readonly evaluations: number;
  readonly gradientSteps: number;
  readonly generation: PlannedGeneration;
  readonly memory: PlannedMemory;
  readonly disk: PlannedDisk;
  /** The one that binds first in front. */
  readonly limits: readonly Binding[];
}

/** Times are what it takes on all lanes of all devices together. */
export interface PlannedGeneration {
  readonly candidates: number;
  readonly usesGradients: boolean;
  readonly rows: number;
  /** Of each candidate, with the padding. */
  readonly tokens: number;
  readonly ms: number;
  /** What all lanes work together: less than so many times `ms` where some are idle. */
  readonly busyMs: number;
  /** Waiting for weights of the parents. */
  readonly readingMs: number;
  readonly mergingMs: number;
  readonly forwardMs: number;
  /** 0 where no gradients are taken. */
  readonly backwardMs: number;
  /** Operations of its products of matrices, and the share of the devices' rate that these come to. */
  readonly flop: number;
  readonly productShare: number;
}

export interface PlannedMemory {
  /** Of tensors and work space, on each device. */
  readonly devicePeakBytes: number;
  readonly deviceFreeBytes: number | undefined;
  /** Of all processes, one for each device; on a CPU the device's is part of it. */
  readonly hostPeakBytes: number;
  readonly hostFreeBytes: number;
  /** Whether all parents stay on the device. */
  readonly parentsStay: boolean;
  readonly parentsBytes: number;
}

export interface PlannedDisk {
  /** Where the run is written. */
  readonly folder: string;
  /** Of journal and numbers, and of an export. */
  readonly runBytes: number;
  readonly exportBytes: number;
  /** Of models and rows of the Hub that are not here; the cache is taken to be on the same disk. */
  readonly fetchBytes: number;
  readonly neededBytes: number;
  readonly freeBytes: number;
}
