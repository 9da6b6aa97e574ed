/** What a run writes down: one record a step, in the order in which the steps were taken. */
import type { Recipe } from "../merge/recipe.ts";

/** Version of the journal's files. */
export const JOURNAL_FORMAT = 7;

/** Where numbers lie in the side file of the journal. */
export interface NumbersRef {
  /** In bytes. */
  readonly offset: number;
  readonly count: number;
  readonly checksum: string;
}

/** Mean scores of one model, by task. */
export type TaskScores = Readonly<Record<string, { readonly loss: number; readonly accuracy?: number }>>;

/** How the best merge of a search is named; no expert can have a name with a space. */
export const EVOLVED = "evolved merge";

/** Numbers of rows, by task. */
export type RowCounts = Readonly<Record<string, number>>;

/** What a scoring was of, and its wall-clock time: from such times the run plans what is to come. */
export interface RecordedTime {
  readonly models: number;
  /** Tokens of each model that layers compute. */
  readonly tokens: number;
  readonly passes: number;
  readonly ms: number;
  /** How much of it was spent waiting for the parents' weights. */
  readonly waitMs: number;
}

/** What a step that takes long scores, decided when it begins: models by name, and rows as far as they are taken. */
export interface ScoringScope {
  readonly models: readonly string[];
  readonly rows: RowCounts;
}

/** Models on a stretch of the search rows in the order in which rows are taken. */
export interface RecordedRung {
  readonly models: readonly Pick<ScoredModel, "name" | "scores">[];
  readonly from: RowCounts;
  readonly to: RowCounts;
  /** By model, then by task. */
  readonly rowLosses: NumbersRef;
  readonly time: RecordedTime;
  readonly elapsedMs: number;
}

/** A model and its mean scores on a set of rows. */
export interface ScoredModel extends ModelLosses {
  readonly recipe: Recipe;
}

/** What a model has scored. */
export interface ModelLosses {
  readonly name: string;
  readonly scores: TaskScores;
  /** Combined loss; 1 is the uniform average on the search rows. */
  readonly loss: number;
}

/** A model of a front: none of the others is as good as it on all tasks, and better on one. */
export interface FrontMember {
  /** Which finalist or baseline it is. */
  readonly of: string;
  readonly scores: TaskScores;
  /** Combined. */
  readonly loss: number;
}

/** A member of a front on the guard rows, apart from the models that are judged. */
export interface JudgedPick {
  /** Its place on the front, counted from 1. */
  readonly place: number;
  readonly scores: TaskScores;
  readonly loss: number;
  /** 95 % interval of the mean loss, by task. */
  readonly intervals: GuardedModel["intervals"];
  /** The winner's gain over it, not corrected for the number of picks. */
  readonly gains: NonNullable<GuardedModel["gains"]>;
}

/** How the winner compares with another model on the guard rows; gains are positive where the winner is better. */
export interface Gain {
  readonly gain: number;
  readonly interval: readonly [lower: number, upper: number];
  readonly pValue: number;
}

/** Mean ROUGE of a model's texts, f-measures from 0 to 1 without the stemmer. */
export interface TextScores {
  readonly rouge1: number;
  readonly rouge2: number;
  readonly rougeL: number;
}

/** A model beside the winner on the guard rows. */
export interface GuardedModel extends ScoredModel {
  readonly kind: "parent" | "average" | "global" | "recipe" | "winner";
  /** 95 % interval of the mean loss, by task. */
  readonly intervals: Readonly<Record<string, readonly [lower: number, upper: number]>>;
  /** The winner's gain over this model on all tasks combined and on each task; absent for the winner. */
  readonly gains?: { readonly combined: Gain; readonly tasks: Readonly<Record<string, Gain>> };
}

/** What may end a run, as a budget of its experiment. */
export type RecordedBudget = { readonly seconds: number } | { readonly evaluations: number };

/** Where models and rows of a run are that were moved: folders and files by path, models of the Hub by pinned name. */
export interface MovedPlaces {
  readonly base?: string;
  /** By expert. */
  readonly experts?: Readonly<Record<string, string>>;
  /** By task. */
  readonly rows?: Readonly<Record<string, readonly string[]>>;
  /** By task with guard rows of its own. */
  readonly guard?: Readonly<Record<string, readonly string[]>>;
}

/** Every kind of record, by its type. */
export interface RecordPayloads {
  /** Identity of everything that decides the run; a resumed run must find it unchanged. */
  start: {
    readonly format: number;
    /** Of the run, absolute; paths of the experiment are relative to it, where the two share a folder. */
    readonly folder: string;
    /** When the run began, in ISO 8601; earlier versions did not say. */
    readonly began?: string;
    readonly experiment: unknown;
    readonly identity: Readonly<Record<string, string>>;
    readonly versions: Readonly<Record<string, string>>;
    /** How many rows of each task are used, where the budget had no time to tokenise all. */
    readonly drawn?: Readonly<Record<string, { readonly search: number; readonly guard: number }>>;
    /** How many each task has, where not all are used. */
    readonly outOf?: Readonly<Record<string, { readonly search: number; readonly guard: number }>>;
    /** How many winners the guard rows had judged before, in the runs that this one descends from. */
    readonly looks?: number;
    /** What those searched on and this one does not: ids and groups of rows. */
    readonly searched?: readonly string[];
  };
  /** What the parents' tensors held when they were first read, before anything scored with them: a line by tensor. */
  parents: { readonly tensors: Readonly<Record<string, Readonly<Record<string, string>>>> };
  /** A budget that takes the place of the one before, from here on; what it has room for is planned anew. */
  budget: { readonly budget: RecordedBudget };
  /** Where models and rows were found that were moved, proved to be the same; paths are recorded as in the start. */
  moved: { readonly folder: string } & MovedPlaces;
  /** What was scored of a step that takes long, for a resumed run to go on from. */
  part: {
    readonly of: ScoringStep;
    /** Token batches of the step that were scored, after those of its earlier parts. */
    readonly batches: number;
    /** Of the prompts in these batches, by candidate. */
    readonly logLikelihoods: NumbersRef;
    /** Where the step itself is to say it: what was begun is gone on with. */
    readonly scope?: ScoringScope;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
  /** Losses and gradients of the next part of a generation's rows, where these are recorded in parts. */
  gradient: {
    /** By candidate, then by task, as they lie in that part. */
    readonly rowLosses: NumbersRef;
    /** Of the part's share of the combined losses by the coordinates, by candidate. */
    readonly gradients: NumbersRef;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
  /** The uniform average on a few rows, and what follows from its time. */
  forecast: RecordedRung & {
    /** Of the fewer rows that were scored before these. */
    readonly firstTime: RecordedTime;
    /** Expected wall-clock times of the baselines, of a generation with its mean, and of all after the search. */
    readonly baselinesMs: number;
    readonly generationMs: number;
    readonly finishMs: number;
    /** Generations that the budget has room for. */
    readonly generations: number;
    /** A budget of time that has room for everything. */
    readonly wholeMs: number;
    /** Whether the budget is so small that things are left out, or few generations remain. */
    readonly isSmall: boolean;
  };
  /** Baselines on one stretch of the search rows. */
  rung: RecordedRung;
  /** Baselines on all rows that each of them met: those that did worse met fewer. */
  baselines: {
    readonly models: readonly (ScoredModel & { readonly rows: RowCounts })[];
    /** Names of those that the budget had no room for. */
    readonly skipped: readonly string[];
    /** Mean loss of the uniform average, by task. */
    readonly scales: Readonly<Record<string, number>>;
    readonly elapsedMs: number;
  };
  /** What the budget was turned into; another budget changes no more than the rows. */
  plan: {
    /** Name of the optimizer. */
    readonly algorithm: string;
    /** Those that have names: the first numbers of a point. */
    readonly genes: readonly string[];
    /** How many genes without a name stand behind them in a point, one for each input column; none unless said. */
    readonly columns?: number;
    /** Values of each named gene at the ends of the unit interval, in units of its parameter. */
    readonly ranges: readonly (readonly [low: number, high: number])[];
    /** The point where the search begins, with the numbers of all genes; every plan of a run refers to those of the first. */
    readonly start: NumbersRef;
    /** Points of the first generation beside it, one after another, where there are any. */
    readonly inject?: NumbersRef;
    /** Of a generation, with its reference; more where the search begins again. */
    readonly candidates: number;
    readonly rowFraction: number;
    readonly elapsedMs: number;
  };
  /** All points of a generation, in the unit cube, and how many rows of each task they meet. */
  ask: {
    readonly generation: number;
    /** One after another. */
    readonly points: NumbersRef;
    readonly rows: RowCounts;
    /**
     * So many parts of the rows are differentiated one after another, and all but the last recorded; one unless said. It is
     * recorded before them, since the sum of other parts has other bits.
     */
    readonly parts?: number;
  };
  /** What became of the points, in their order. */
  result: {
    readonly generation: number;
    /** Combined. */
    readonly losses: readonly number[];
    /** Index of the point that shows how far the search is: a distribution's mean, or the best of what walks. */
    readonly reference: number;
    /** By candidate, then by task. */
    readonly rowLosses: NumbersRef;
    /** Of the combined losses by the coordinates, by candidate, where the optimizer wants them. */
    readonly gradients?: NumbersRef;
    /** In forward passes over all search rows. */
    readonly work: number;
    /** Part of what the search could spend that was spent then, from 0 to 1. */
    readonly spent: number;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
  /** Candidates for the winner on so many search rows; the one with the least loss wins. */
  finalists: {
    /** Without recipes: where input columns have coefficients they are large, and the winner's alone is needed. */
    readonly models: readonly ModelLosses[];
    readonly winner: ScoredModel;
    /** Where tasks are objectives of their own: what none of all these models and baselines is better than, by the loss of the first task. */
    readonly front?: readonly FrontMember[];
    /** Absent where time did not suffice to score them. */
    readonly rows?: RowCounts;
    /** By model, then by task; earlier versions left them out. */
    readonly rowLosses?: NumbersRef;
    readonly time?: RecordedTime;
    readonly elapsedMs: number;
  };
  /** The winner beside its baselines on the guard rows, and the hash of the weights that were scored. */
  verdict: {
    readonly models: readonly GuardedModel[];
    /** Members of the front that stand for it, but for those among the models. */
    readonly picks?: readonly JudgedPick[];
    /** Groups of guard rows, by task: as many of equal size as tell as much (`effectiveGroups`). */
    readonly groups: Readonly<Record<string, number>>;
    readonly weightsDigest: string;
    /** Guard rows that were scored, and how many there are. */
    readonly rows: RowCounts;
    readonly outOf: RowCounts;
    /** Of the models. */
    readonly rowLosses: NumbersRef;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
  /** What the winner and the parents of a verdict write for some of its rows, where tasks want texts. */
  texts: {
    readonly models: readonly { readonly name: string; readonly scores: Readonly<Record<string, TextScores>> }[];
    /** Guard rows that texts were written for; none of tasks that want no texts. */
    readonly rows: RowCounts;
    readonly elapsedMs: number;
  };
}

export type RecordType = keyof RecordPayloads;

/** Of a step that takes long: what was scored of it so far. */
export type PartType = "part" | "gradient";

/** Steps that score models on rows. */
export type ScoringStep = "rung" | "result" | "finalists" | "verdict";

/** The steps of a run; the other records say more of them. */
export type StepType = Exclude<RecordType, "start" | "parents" | "budget" | "moved" | PartType>;

/** The step that a part is of. */
export function stepOf(part: Extract<JournalRecord, { readonly type: PartType }>): ScoringStep {
  return part.type === "part" ? part.of : "result";
}

/** Whether a record is of what was scored of a step, and not the step itself. */
export function isPart(record: JournalRecord): record is Extract<JournalRecord, { readonly type: PartType }> {
  return record.type === "part" || record.type === "gradient";
}

export type StartRecord = { readonly type: "start" } & RecordPayloads["start"];

/** A record as it is told to the journal. */
export type JournalRecord =
  | StartRecord
  | { [Type in Exclude<RecordType, "start">]: { readonly type: Type } & RecordPayloads[Type] }[Exclude<
      RecordType,
      "start"
    >];
