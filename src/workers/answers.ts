/** What a worker answers a job with, as JSON. */
import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { UserError } from "../errors.ts";
import type { GenerationGradient, WeightDerivatives } from "../evaluate/differentiate.ts";
import type { GenerationScores } from "../evaluate/scorer.ts";
import type { EngineFacts } from "../experiment/workspace.ts";
import { listOf, mapOf } from "../journal/lists.ts";
import type { SentPrompt } from "./jobs.ts";
import { floatsOf, textOf } from "./numbers-text.ts";
import { joined } from "../tensor/float64.ts";

/** Of each recipe, numbers of all continuations of all prompts. */
type SentSums = readonly string[];
/** Of each recipe, by weight and parameter, numbers of each expert. */
type SentDerivatives = readonly Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>[];

export interface Numbers {
  readonly logLikelihoods: SentSums;
  readonly greedy?: SentSums | undefined;
  readonly digest?: string | undefined;
  readonly derivatives?: SentDerivatives | undefined;
}

/**
 * What became of a job: who is there, its numbers, or why there are none. `refused` ends the worker, `failed` unless the
 * job is at fault; who `left` was told to, or found that nobody waits for the job any more.
 */
export type WorkerAnswer = { readonly worker: string } & (
  | { readonly kind: "engine"; readonly engine: EngineFacts; readonly why: string }
  | ({ readonly kind: "numbers" } & Numbers)
  | { readonly kind: "refused" | "failed"; readonly why: string }
  | { readonly kind: "left" }
);

/** Characters of why a job failed. */
const LONGEST_WHY = 2000;
/** A log-likelihood is not above 0 by more. */
const ROUNDING = 1e-3;

const sums = z.array(z.string());
const worker = z.string().max(200);
const text = z.string().max(LONGEST_WHY);

const answerSchema: z.ZodType<WorkerAnswer> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("engine"),
    worker,
    engine: z.strictObject({
      name: text,
      kind: z.enum(["cpu", "gpu"]),
      fastestProducts: z.enum(["f32", "bf16", "f16"]),
      concurrency: z.int().min(1).max(4096),
    }),
    why: text,
  }),
  z.strictObject({
    kind: z.literal("numbers"),
    worker,
    logLikelihoods: sums,
    greedy: sums.exactOptional(),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .exactOptional(),
    derivatives: listOf(mapOf(mapOf(z.array(z.string())))).exactOptional(),
  }),
  z.strictObject({ kind: z.enum(["refused", "failed"]), worker, why: text }),
  z.strictObject({ kind: z.literal("left"), worker }),
]);

/** Reads what a worker has answered; a UserError where it is no answer. */
export function answerOf(data: unknown): WorkerAnswer {
  const parsed = answerSchema.safeParse(data, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`an answer: ${issue?.path.join(".")}: expected ${issue?.message}`);
}

/** The answer of a worker that something keeps from doing its job. */
export function failedAnswer(worker: string, error: unknown): WorkerAnswer & { readonly why: string } {
  return { worker, kind: "failed", why: error instanceof Error ? error.message.slice(0, LONGEST_WHY) : "unknown" };
}

export function sentSums(sums: GenerationScores["logLikelihoods"]): SentSums {
  return sums.map((byPrompt) => textOf(joined(byPrompt)));
}

export function sentDerivatives({ derivatives }: Pick<GenerationGradient, "derivatives">): SentDerivatives {
  return derivatives.map((byWeight) =>
    mapped(byWeight, (byParameter) => mapped(byParameter, (own) => own.map(textOf))),
  );
}

/** The numbers of every prompt, of each of so many recipes; a UserError where they are not as many as they should be. */
export function receivedSums(
  sent: SentSums,
  recipes: number,
  prompts: readonly Pick<SentPrompt, "continuations">[],
): Float64Array[][] {
  const counts = prompts.map(({ continuations }) => continuations.length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (sent.length !== recipes) throw wrongCount(recipes, "recipes", sent.length);
  return sent.map((own) => {
    const all = floatsOf(own);
    if (all.length !== total) throw wrongCount(total, "log-likelihoods", all.length);
    const impossible = all.find((value) => value > ROUNDING);
    if (impossible !== undefined) throw new UserError(`an answer: expected log-likelihoods, found ${impossible}`);
    let end = 0;
    return counts.map((count) => all.slice(end, (end += count)));
  });
}

/** Derivatives by the coefficients of these weights, whose shapes tell how many there may be. */
export function receivedDerivatives(
  sent: SentDerivatives | undefined,
  recipes: number,
  experts: number,
  weights: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): WeightDerivatives[] {
  if (sent?.length !== recipes) throw wrongCount(recipes, "recipes", sent?.length ?? 0);
  return sent.map((byWeight) =>
    mapped(byWeight, (byParameter, weight) => {
      const columns = weights.get(weight)?.shape.at(-1);
      return mapped(byParameter, (own) => {
        if (columns === undefined || own.length !== experts) throw wrongCount(experts, "experts", own.length);
        return own.map((numbers) => {
          const values = floatsOf(numbers);
          if (values.length !== 1 && values.length !== columns) throw wrongCount(columns, "columns", values.length);
          return values;
        });
      });
    }),
  );
}

function wrongCount(expected: number, what: string, found: number): UserError {
  return new UserError(`an answer: expected numbers of ${expected} ${what}, found ${found}`);
}

function mapped<T, U>(record: Readonly<Record<string, T>>, to: (value: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value, name)]));
}
