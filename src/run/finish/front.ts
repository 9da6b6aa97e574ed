import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors.ts";
import { showUntrusted } from "../../files/show-untrusted.ts";
import type { FrontMember, ModelLosses, TaskScores } from "../../journal/records.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { kneeOf } from "../../search/knee.ts";
import { frontsOf } from "../../search/pareto.ts";

/** The members of a front, by the loss of the first task, and how the models that they are of are merged. */
export interface Front {
  readonly members: readonly FrontMember[];
  /** By what members are of. */
  readonly recipes: ReadonlyMap<string, () => Recipe>;
}

/** The name of what stands for a front in other ways than by a place on it. */
const KNEE = "knee";

/** A way to name a member: the knee, or the best on a task. */
export interface FrontPick {
  readonly name: string;
  readonly isKnee: boolean;
  /** Place on the front, counted from 1. */
  readonly place: number;
}

/** The models that no other is better than, where losses of tasks are not weighed against each other; of equal ones the first. */
export function frontAmong(models: readonly ModelLosses[]): readonly FrontMember[] | undefined {
  const tasks = Object.keys(models[0]?.scores ?? {});
  const scored = models
    .map(({ name, scores, loss }) => ({ losses: lossesOn(tasks, scores), member: { of: name, scores, loss } }))
    .filter(({ losses }) => losses.every(Number.isFinite));
  const isFirst = ({ losses }: (typeof scored)[number], i: number): boolean =>
    scored.findIndex((other) => isDeepStrictEqual(other.losses, losses)) === i;
  const different = scored.filter(isFirst);
  const best = new Set(frontsOf(different.map(({ losses }) => losses))[0]);
  const front = different.filter((_, i) => best.has(i)).toSorted((a, b) => (a.losses[0] ?? 0) - (b.losses[0] ?? 0));
  return front.length === 0 ? undefined : front.map(({ member }) => member);
}

/** The knee of a front, and what is best on each task. */
export function picksOf(front: readonly FrontMember[]): readonly FrontPick[] {
  const tasks = Object.keys(front[0]?.scores ?? {});
  const knee = kneeOf(front.map(({ scores }) => lossesOn(tasks, scores)));
  if (knee === undefined) return [];
  const best = tasks.map((task) => {
    const losses = front.flatMap(({ scores }) => lossesOn([task], scores));
    return { name: task, isKnee: false, place: 1 + losses.indexOf(Math.min(...losses)) };
  });
  return [{ name: KNEE, isKnee: true, place: knee + 1 }, ...best];
}

function lossesOn(tasks: readonly string[], scores: TaskScores): number[] {
  return tasks.map((task) => scores[task]?.loss ?? Number.NaN);
}

/** The place of what a person asks for; a UserError that lists what there is. */
export function placeOnFront(front: readonly FrontMember[], pick: string): number {
  const known = picksOf(front);
  const number = /^\d{1,6}$/.test(pick) ? Number(pick) : undefined;
  const place = known.find(({ name }) => name === pick)?.place ?? number;
  if (place !== undefined && place >= 1 && place <= front.length) return place;
  const tasks = known.slice(1).map(({ name }) => name);
  throw new UserError(
    `--pick: expected ${KNEE}, a task (${tasks.join(", ")}) or a place on the front from 1 to ${front.length}, found ${showUntrusted(pick)}`,
  );
}

/** Whether a member is the winner of its run, as far as its scores tell. */
export function isWinner(member: FrontMember | undefined, { scores }: Pick<ModelLosses, "scores">): boolean {
  return isDeepStrictEqual(member?.scores, scores);
}

/** How a member is merged; a UserError where the run has no such model, which no journal of it says. */
export function recipeAt({ members, recipes }: Front, place: number): Recipe {
  const { of = "" } = members[place - 1] ?? {};
  const recipe = recipes.get(of);
  if (recipe) return recipe();
  throw new UserError(
    `the front in the journal: expected models of this run, found ${showUntrusted(of)}; resume with the versions that its first record names`,
  );
}
