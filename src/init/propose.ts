/** Which of the models that were found are base and experts, as far as their small files tell. */
import { basename, join } from "node:path";
import { differingField, EVENED } from "../experiment/compare-parents.ts";
import { realPath } from "../files/real-path.ts";
import { parseReference } from "../hub/api/reference.ts";
import type { FoundModel, UnfitModel } from "./find-models.ts";

/** A base with the reason why it is likely the one. */
export interface ProposedBase {
  readonly model: FoundModel;
  readonly why: string;
}

/** The one full model that most of the others say they were made from, else the one that its name says is it. */
export function proposeBase(models: readonly FoundModel[]): ProposedBase | undefined {
  const full = models.filter(({ identity }) => identity);
  const mentions = full.map((model) => ({ model, count: models.filter((other) => isMadeFrom(other, model)).length }));
  const most = Math.max(0, ...mentions.map(({ count }) => count));
  const named = mentions.filter(({ count }) => count === most);
  const [first] = named;
  if (most > 0 && first && named.length === 1) {
    const others = most === 1 ? "another says that it was" : `${most} of the others say that they were`;
    return { model: first.model, why: `${others} made from it` };
  }
  for (const isCalled of [isCalledBase, namesOthers]) {
    const called = full.filter((model) => isCalled(model, full));
    const [one] = called;
    if (one && called.length === 1) return { model: one, why: "by its name" };
  }
  const [only] = full;
  return only && full.length === 1 && models.length > 1 ? { model: only, why: "the only full model" } : undefined;
}

function isCalledBase({ name }: FoundModel): boolean {
  return /(^|[._-])base($|[._-])/i.test(name);
}

/** Whether all others are called as it is, and something more, such as `-Instruct`. */
function namesOthers({ name }: FoundModel, full: readonly FoundModel[]): boolean {
  const others = full.filter((model) => model.name !== name);
  return (
    others.length > 0 &&
    others.every((other) => /^[._-]/.test(other.name.slice(name.length)) && other.name.startsWith(name))
  );
}

/** The models that fit a base, and why others do not. An adapter that says that another model is its base is left out. */
export function proposeExperts(
  models: readonly FoundModel[],
  base: FoundModel,
): { readonly experts: readonly FoundModel[]; readonly others: readonly UnfitModel[] } {
  const reasons = models
    .filter((model) => model.place !== base.place)
    .map((model) => ({ model, why: whyNoExpert(model, base, models) }));
  return {
    experts: reasons.flatMap(({ model, why }) => (why === undefined ? [model] : [])),
    others: reasons.flatMap(({ model, why }) => (why === undefined ? [] : [{ place: model.place, why }])),
  };
}

function whyNoExpert(model: FoundModel, base: FoundModel, models: readonly FoundModel[]): string | undefined {
  if (model.identity && base.identity) {
    const field = differingField(model.identity, base.identity, EVENED);
    return field === undefined ? undefined : `its ${field} is not the base's`;
  }
  const own = models.find((other) => other.identity && isMadeFrom(model, other));
  return own === undefined || own.place === base.place ? undefined : `it is an adapter of ${own.place}`;
}

/** Folders and names of the Hub change when models are copied, so that the last part of a path must do. */
function isMadeFrom(model: FoundModel, base: FoundModel): boolean {
  const { madeFrom } = model;
  if (madeFrom === undefined || madeFrom === "" || model === base) return false;
  const onHub = parseReference(base.place)?.name;
  if (madeFrom === onHub || realPath(join(model.folder, madeFrom)) === realPath(base.folder)) return true;
  const last = basename(madeFrom);
  // A model that was saved under its own name says nothing.
  return last === base.name && last !== model.name;
}
