/** What a run asks of a worker, as JSON. */
import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { UserError } from "../errors.ts";
import type { LossTerm, TermRow } from "../evaluate/loss-term.ts";
import { termRow } from "../evaluate/loss-term.ts";
import type { Prompt } from "../evaluate/pack.ts";
import type { TensorStamps } from "../experiment/identity.ts";
import type { ScorerUse } from "../experiment/workspace.ts";
import { listOf, mapOf } from "../journal/lists.ts";
import { recipeSchema } from "../journal/recipe-schema.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Model } from "../model/architecture.ts";
import { choiceLossNames } from "../tasks/row-loss.ts";
import { integersOf, textOf } from "./numbers-text.ts";

/** Lines of tensors, by the parent's name and the tensor's. */
export type KnownLines = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What a worker must have and do for its numbers to be those of the run. */
export interface Terms {
  /** What decides on scores, by a name for people. */
  readonly identity: Readonly<Record<string, string>>;
  /** Whether an engine other than that of the identity may answer. */
  readonly isMixed: boolean;
  /** What is in the parents' weights. */
  readonly tensors: KnownLines;
  /** What their files had when they were hashed, for a worker that opens the same files. */
  readonly stamps?: TensorStamps | undefined;
  readonly use: ScorerUse;
  /** Padded tokens of a batch. */
  readonly batchTokens: number;
}

/** A prompt with its token ids as text. */
export interface SentPrompt {
  readonly source?: string;
  readonly context: string;
  readonly continuations: readonly string[];
}

export interface AskedScore {
  readonly kind: "score";
  readonly recipes: readonly Recipe[];
  readonly prompts: readonly SentPrompt[];
  /** Among the recipes: whose weights are hashed. */
  readonly digestOf?: number | undefined;
  readonly greedy?: boolean | undefined;
}

export interface AskedGradient {
  readonly kind: "gradient";
  readonly recipes: readonly Recipe[];
  readonly rows: readonly { readonly prompts: readonly SentPrompt[]; readonly term: LossTerm }[];
}

/** What numbers are asked for. */
export type AskedNumbers = AskedScore | AskedGradient;

/** `join` asks who is there. */
export type Job = { readonly kind: "join" } | (AskedNumbers & Terms);

/** A job in a queue; `call` is what the run waits for with it, and no longer than that. */
export interface PostedJob {
  readonly call: string;
  readonly job: Job;
}

const terms = {
  identity: mapOf(z.string()),
  isMixed: z.boolean(),
  tensors: mapOf(mapOf(z.string())),
  stamps: mapOf(mapOf(z.string())).exactOptional(),
  use: z.enum(["evaluator", "signal"]),
  batchTokens: z
    .int()
    .min(1)
    .max(2 ** 20),
  recipes: listOf(recipeSchema, 1),
};

const prompts: z.ZodType<SentPrompt[]> = listOf(
  z.strictObject({
    source: z.string().exactOptional(),
    context: z.string(),
    continuations: z.array(z.string()).min(1),
  }),
);

const term: z.ZodType<LossTerm> = z.strictObject({
  row: z.strictObject({
    kind: z.enum(["choice", "text"]),
    continuations: z.array(z.string()),
    delimiter: z.string().exactOptional(),
    label: z.int().nonnegative(),
    loss: z.enum(choiceLossNames).exactOptional(),
  }),
  weight: z.union([z.number(), z.array(z.number())]),
  continuations: z.array(z.array(z.int().nonnegative())),
});

const postedSchema: z.ZodType<PostedJob> = z.strictObject({
  call: z.string().min(1).max(100),
  job: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("join") }),
    z.strictObject({
      kind: z.literal("score"),
      ...terms,
      prompts,
      digestOf: z.int().nonnegative().exactOptional(),
      greedy: z.boolean().exactOptional(),
    }),
    z.strictObject({ kind: z.literal("gradient"), ...terms, rows: listOf(z.strictObject({ prompts, term })) }),
  ]),
});

/** Reads what a queue holds; a UserError where it is no job. */
export function postedJob(data: unknown): PostedJob {
  const parsed = postedSchema.safeParse(data, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`a job in the queue: ${issue?.path.join(".")}: expected ${issue?.message}`);
}

export function sentPrompt({ source, context, continuations }: Prompt): SentPrompt {
  return {
    ...(source && { source: textOf(source) }),
    context: textOf(context),
    continuations: continuations.map(textOf),
  };
}

/** What of a row its loss depends on, without its text. */
export function sentTerm({ row, weight, continuations }: LossTerm): LossTerm {
  const { kind, continuations: answers, delimiter, label, loss } = row;
  return {
    row: { kind, continuations: answers, ...(delimiter !== undefined && { delimiter }), label, ...(loss && { loss }) },
    weight,
    continuations,
  };
}

/** The prompt that was sent; a UserError where the model cannot read it. */
export function receivedPrompt(
  { source, context, continuations }: SentPrompt,
  { vocabularySize, encoding }: Pick<Model, "vocabularySize" | "encoding">,
): Prompt {
  const idsOf = (text: string): Int32Array => {
    const ids = integersOf(text);
    const unknown = ids.find((id) => id < 0 || id >= vocabularySize);
    if (ids.length === 0 || unknown !== undefined) {
      throw new UserError(`a job in the queue: expected token ids below ${vocabularySize}, found ${unknown ?? "none"}`);
    }
    return ids;
  };
  if ((source !== undefined) !== (encoding !== undefined)) {
    throw new UserError("a job in the queue: expected a source of each prompt where the model has an encoder alone");
  }
  const prompt = { context: idsOf(context), continuations: continuations.map(idsOf) };
  return source === undefined ? prompt : { ...prompt, source: idsOf(source) };
}

/** The row that was sent; a UserError where its prompts are not those of its loss. */
export function receivedRow({ prompts: sent, term: own }: AskedGradient["rows"][number], model: Model): TermRow {
  const all = own.continuations.flat().toSorted((a, b) => a - b);
  const isWhole = all.length === own.row.continuations.length && all.every((member, i) => member === i);
  const fits = sent.every(({ continuations }, i) => continuations.length === own.continuations[i]?.length);
  if (!isWhole || !fits || sent.length !== own.continuations.length || own.row.label >= all.length) {
    throw new UserError(
      "a job in the queue: expected a row whose prompts have each of its answers once, found another",
    );
  }
  return termRow(
    sent.map((prompt) => receivedPrompt(prompt, model)),
    own,
  );
}
