/** What comes after the search: finalists, the verdict on guard rows, texts. */
import { z } from "zod";
import { listOf, mapOf } from "../lists.ts";
import {
  anyName,
  hexadecimal,
  interval,
  measured,
  milliseconds,
  objectOf,
  type PayloadFields,
  share,
  whole,
} from "./fields.ts";
import {
  type ModelLosses,
  type NumbersRef,
  numbersRef,
  type RecordedTime,
  type RowCounts,
  rows,
  scoredFields,
  type ScoredModel,
  scoreFields,
  scores,
  type TaskScores,
  time,
} from "./scored-models.ts";

/** A model of a front: none of the others is as good as it on all tasks, and better on one. */
export interface FrontMember {
  /** Which finalist or baseline it is. */
  readonly of: string;
  readonly scores: TaskScores;
  /** Combined. */
  readonly loss: number;
  /** Others that nobody can beat either, and whose losses are the same within what this one's may be by chance: it stands for them. */
  readonly alike?: readonly string[];
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

export interface FinishPayloads {
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

const gain = objectOf<Gain>({ gain: measured, interval, pValue: measured });

const gains = objectOf<NonNullable<GuardedModel["gains"]>>({ combined: gain, tasks: mapOf(gain) });

const guardedModel = objectOf<GuardedModel>({
  ...scoredFields,
  kind: z.enum(["parent", "average", "global", "recipe", "winner"]),
  intervals: mapOf(interval),
  gains: gains.exactOptional(),
});

const frontMember = objectOf<FrontMember>({
  of: anyName,
  scores,
  loss: measured,
  alike: listOf<string>(anyName, 1).exactOptional(),
});

const judgedPick = objectOf<JudgedPick>({
  place: whole.min(1),
  scores,
  loss: measured,
  intervals: mapOf(interval),
  gains,
});

const textScores = objectOf<TextScores>({ rouge1: share, rouge2: share, rougeL: share });

export const finishFields: PayloadFields<FinishPayloads> = {
  finalists: {
    models: listOf(objectOf<ModelLosses>(scoreFields)),
    winner: objectOf<ScoredModel>(scoredFields),
    front: listOf(frontMember, 1).exactOptional(),
    rows: rows.exactOptional(),
    rowLosses: numbersRef.exactOptional(),
    time: time.exactOptional(),
    elapsedMs: milliseconds,
  },
  verdict: {
    models: listOf(guardedModel, 1),
    picks: listOf(judgedPick, 1).exactOptional(),
    groups: mapOf(z.number().min(0)),
    weightsDigest: hexadecimal,
    rows,
    outOf: rows,
    rowLosses: numbersRef,
    time,
    elapsedMs: milliseconds,
  },
  texts: {
    models: listOf(
      objectOf<FinishPayloads["texts"]["models"][number]>({ name: anyName, scores: mapOf(textScores) }),
      1,
    ),
    rows,
    elapsedMs: milliseconds,
  },
};
