import type { PluginName } from "../../files/plugin-name.ts";
import type { OptimizerName } from "../../search/optimizers.ts";
import type { ResolvedPrecision } from "../../experiment/precision.ts";
import type {
  FrontMember,
  GuardedModel,
  ModelLosses,
  RecordPayloads,
  RowCounts,
  ScoredModel,
} from "../../journal/records.ts";

/** What a run tells while it goes on; replayed steps of a resumed run are told too, marked as such. */
export type RunEvent =
  /** What a person should know, such as a model's new name on the Hub. */
  | { readonly type: "notice"; readonly text: string }
  /** Bytes on this machine of those that the run needs from the Hub. */
  | { readonly type: "fetching"; readonly doneBytes: number; readonly totalBytes: number }
  /** Bytes of merged weights that are written. */
  | { readonly type: "merging"; readonly doneBytes: number; readonly totalBytes: number }
  /** Bytes of an exported model that the Hub has received. */
  | { readonly type: "pushing"; readonly doneBytes: number; readonly totalBytes: number }
  | {
      readonly type: "opened";
      readonly folder: string;
      readonly engine: string;
      readonly why: string;
      readonly precision: ResolvedPrecision;
      readonly experts: readonly string[];
      /** The genome in one line. */
      readonly genome: string;
      /** Rows for the search and for the guard, by task. */
      readonly rows: Readonly<Record<string, { readonly search: number; readonly guard: number }>>;
      readonly resumed: boolean;
    }
  /**
   * Share of the current phase, or of one of the rungs of baselines, that is done; what is left of the whole budget where it is one of
   * time; and what the phases to come are expected to take, unless that is what the budget leaves.
   */
  | {
      readonly type: "progress";
      readonly phase: Phase | "rows" | "forecast" | "score";
      readonly share: number;
      readonly leftMs?: number;
      readonly afterMs?: number;
    }
  /** What the run is expected to take, from the time of its first scoring. */
  | {
      readonly type: "forecast";
      readonly baselinesMs: number;
      /** Of a generation with its mean. */
      readonly generationMs: number;
      /** Of all after the search: finalists, guard and, where there is one, export. */
      readonly finishMs: number;
      /** That the budget has room for. */
      readonly generations: number;
      /** Infinity under a budget of evaluations. */
      readonly budgetMs: number;
      /** A budget that has room for everything. */
      readonly wholeMs: number;
      /** Whether things are left out, or few generations remain. */
      readonly isSmall: boolean;
      /** Whether the finish holds an export. */
      readonly exports: boolean;
    }
  | {
      readonly type: "baselines";
      readonly models: readonly (ScoredModel & { readonly rows: RowCounts })[];
      /** Names of those that the budget had no room for. */
      readonly skipped: readonly string[];
    }
  | {
      readonly type: "planned";
      readonly algorithm: OptimizerName | PluginName;
      /** Of a generation, with its mean where it has one. */
      readonly candidates: number;
      readonly rowFraction: number;
      readonly start: string;
    }
  | {
      readonly type: "generation";
      readonly generation: number;
      /** Least loss of a candidate, or the loss of what walks in front. */
      readonly best: number;
      /** Where candidates are drawn from a distribution. */
      readonly mean?: number;
      /** The search's loss on one scale for all generations: that of `baseline`, the loss of the best baseline on all rows that it met. */
      readonly overall: number;
      readonly baseline: number;
      /** What the search has cost so far, in forward passes over all search rows; a gradient counts as four. */
      readonly work: number;
      /** Part of what the search may spend that is spent, from 0 to 1. */
      readonly spent: number;
      readonly elapsedMs: number;
      /** Time, or evaluations, left for the search. */
      readonly left: { readonly ms: number } | { readonly evaluations: number };
      readonly replayed: boolean;
    }
  /** The search had converged, and begins again with generations of so many candidates, two means among them. */
  | { readonly type: "restarted"; readonly candidates: number; readonly replayed: boolean }
  | {
      readonly type: "finalists";
      readonly models: readonly ModelLosses[];
      readonly winner: string;
      /** Where tasks are objectives of their own. */
      readonly front?: readonly FrontMember[];
    }
  | {
      readonly type: "verdict";
      readonly models: readonly GuardedModel[];
      readonly tasks: readonly string[];
      readonly rows: RowCounts;
    }
  /** What winner and parents write for guard rows, where tasks want texts. */
  | { readonly type: "texts"; readonly texts: RecordPayloads["texts"] }
  /** The budget ended before a step that is worth having but not needed. */
  | { readonly type: "skipped"; readonly phase: Phase; readonly why: string }
  /** Nothing more would come of it. */
  | { readonly type: "stopped"; readonly phase: Phase; readonly why: string }
  | { readonly type: "exported"; readonly folder: string; readonly weightsDigest: string };

/** How a command that carried a run through came to its end, in so many seconds since it began. Whoever calls `launchRun` has its promise. */
export type RunEnd =
  | {
      readonly type: "ended";
      readonly state: "finished" | "interrupted";
      /** Of a finished run. */
      readonly winner?: string;
      readonly seconds: number;
    }
  | { readonly type: "failed"; readonly sentence: string; readonly seconds: number };

export type Phase = "baselines" | "search" | "finalists" | "guard" | "texts" | "export";
