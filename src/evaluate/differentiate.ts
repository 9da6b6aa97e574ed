/** Derivatives of losses by the coefficients of merges: a pass forward that keeps its states, then one back. */
import { byCoefficient } from "../merge/formula-numbers.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Slope } from "./backward-run.ts";
import { fitting, Room } from "./fitting.ts";
import { goBack } from "./go-back.ts";
import type { ScorerOptions } from "./generation-scorer.ts";
import { paddedTokens, totalTokens } from "./batch-sizes.ts";
import { packGroups, type PackedBatch, type Prompt } from "./pack.ts";
import type { ScoreOptions } from "./scorer.ts";
import { collect, goForward, onDevice, type PassUnderWay, type ScoringPass } from "./pass.ts";
import type { LogLikelihoods } from "./scored-parts.ts";
import { withinMemory } from "./within-memory.ts";

/** A row whose loss depends on the log-likelihoods of its prompts. */
export interface LossRow {
  readonly prompts: readonly Prompt[];
  /** Derivatives of a candidate's loss by the log-likelihoods, from these: [prompt][continuation]. */
  readonly derivative: (logLikelihoods: readonly Float64Array[], candidate: number) => readonly ArrayLike<number>[];
}

export type GradientOptions = Pick<ScoreOptions, "signal" | "onProgress">;

/**
 * By the name of a weight, then by parameter, in the order of the experts: one number, or one for each input column of the
 * weight where these have coefficients of their own. A weight that is copied has none.
 */
export type WeightDerivatives = Readonly<Record<string, Readonly<Record<string, readonly Float64Array[]>>>>;

export interface GenerationGradient {
  /** Of the prompts of all rows, one after another. */
  readonly logLikelihoods: LogLikelihoods;
  /** Of each candidate, the derivatives of the sum of the rows' losses by every coefficient. */
  readonly derivatives: readonly WeightDerivatives[];
}

/** Share of the work that the way forward is. */
const FORWARD = 0.25;

/** See `GenerationScorer.gradient`. */
export async function differentiate(
  options: ScorerOptions,
  recipes: readonly Recipe[],
  rows: readonly LossRow[],
  { signal, onProgress }: GradientOptions,
): Promise<GenerationGradient> {
  const { model, batchTokens, now = () => performance.now() } = options;
  const prompts = rows.flatMap((row) => row.prompts);
  const sums = (): LogLikelihoods =>
    recipes.map(() => prompts.map(({ continuations }) => new Float64Array(continuations.length)));
  const logLikelihoods = sums();
  const derivatives = recipes.map((): Record<string, Record<string, Float64Array[]>> => ({}));
  // Seeds depend on all prompts of a row, so these meet in one pass.
  const lists = packGroups(
    rows.map((row) => row.prompts),
    { batchTokens, ...model },
  );
  // At the entrance of every stage but the first there is a state, and a derivative by one of them on the way back.
  const largest = Math.max(...lists.map((list) => totalTokens(list, paddedTokens)));
  const { groups, tokens } = fitting(options, recipes.length, largest, model.stages.length);
  const passes = passesOf(lists, tokens);
  let done = 0;
  for (const parts of passes) {
    for (const group of groups) {
      const report = (share: number): void => onProgress?.((done + share) / (passes.length * groups.length));
      await withinMemory(options.parents, { members: group, parts }, async ({ members, parts: own }) => {
        // What a pass finds counts when it is over: it may be done again, for fewer.
        const [found, slopes]: [LogLikelihoods, [number, Slope][]] = [sums(), []];
        const pass = { recipes, members, hashing: undefined, signal, report, logLikelihoods: found, now };
        const meet = (candidate: number, slope: Slope): void => void slopes.push([candidate, slope]);
        await thereAndBack(options, own.flat(), pass, { rows, meet });
        for (const [candidate, slope] of slopes) addTo(derivatives[candidate]!, slope, options.experts.length);
        for (const member of members) addValues(logLikelihoods[member]!, found[member]!);
      });
      done += 1;
    }
  }
  return { logLikelihoods, derivatives };
}

/** One pass of some batches, which have all prompts of their rows. */
async function thereAndBack(
  options: ScorerOptions,
  packed: readonly PackedBatch[],
  pass: ScoringPass,
  { rows, meet }: { readonly rows: readonly LossRow[]; readonly meet: (candidate: number, slope: Slope) => void },
): Promise<void> {
  const { report, logLikelihoods, members } = pass;
  const room = Room.on(options, members.length, packed);
  options.parents.makeRoom(room.wholeBytes);
  const work = async (course: PassUnderWay): Promise<void> => {
    const forward = { ...pass, report: (share: number) => report(FORWARD * share) };
    const { branches } = await goForward(options, course, forward, room);
    await collect(options.device, branches.at(-1)!, course.batches, { logLikelihoods });
    const seedsOf = (candidate: number): readonly ArrayLike<number>[] =>
      seedsFor(rows, logLikelihoods[candidate]!, candidate);
    const back = { ...pass, report: (share: number) => report(FORWARD + (1 - FORWARD) * share) };
    await goBack(options, course, back, { branches, seedsOf, meet });
  };
  await onDevice(options, packed, pass, work, { turns: true });
}

/** Of every prompt; those of rows that are yet to be scored are not used. */
function seedsFor(
  rows: readonly LossRow[],
  values: readonly Float64Array[],
  candidate: number,
): readonly ArrayLike<number>[] {
  let next = 0;
  return rows.flatMap(({ prompts, derivative }) => derivative(values.slice(next, (next += prompts.length)), candidate));
}

/** Joins neighbouring lists of batches into passes of at most so many tokens, or of one list. */
function passesOf(lists: readonly (readonly PackedBatch[])[], tokens: number): (readonly (readonly PackedBatch[])[])[] {
  const passes: (readonly PackedBatch[])[][] = [];
  let room = -1;
  for (const list of lists) {
    const own = totalTokens(list, paddedTokens);
    if (own > room) {
      passes.push([]);
      room = tokens;
    }
    passes.at(-1)!.push(list);
    room -= own;
  }
  return passes;
}

function addValues(sums: readonly Float64Array[], values: readonly Float64Array[]): void {
  for (const [i, own] of sums.entries()) for (const j of own.keys()) own[j]! += values[i]![j]!;
}

function addTo(
  derivatives: Record<string, Record<string, Float64Array[]>>,
  { weight, factor, values }: Slope,
  experts: number,
): void {
  for (const { parameter, expert, slope } of factor) {
    const own = byCoefficient(slope, values);
    const zeros = (): Float64Array[] => Array.from({ length: experts }, () => new Float64Array(own.length));
    const sums = ((derivatives[weight.name] ??= {})[parameter] ??= zeros())[expert]!;
    for (const [column, value] of own.entries()) sums[column]! += value;
  }
}
