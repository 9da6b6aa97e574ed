import { OutOfMemory } from "../errors.ts";
import type { ParentWeights } from "./parent-weights.ts";

/** What a pass is for. */
export interface PassWork<Part> {
  /** The candidates. */
  readonly members: readonly number[];
  /** Batches, or lists of such as meet in one pass. */
  readonly parts: readonly Part[];
}

/**
 * Does a pass for some candidates at once. Where the device runs out of memory it is done again: first with fewer of the parents'
 * stages staying there, then for one half of the candidates after the other, then for one half of the batches. A pass that
 * fails leaves nothing behind. Returns what was done at once, in the order of the candidates; rejects where one candidate with one part has no room.
 */
export async function withinMemory<Part>(
  parents: Pick<ParentWeights, "giveWay">,
  work: PassWork<Part>,
  pass: (work: PassWork<Part>) => Promise<void>,
): Promise<PassWork<Part>[]> {
  try {
    await pass(work);
    return [work];
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    if (await parents.giveWay()) return withinMemory(parents, work, pass);
    const smaller = halves(work);
    if (smaller.length === 0) throw error;
    const done: PassWork<Part>[] = [];
    for (const half of smaller) done.push(...(await withinMemory(parents, half, pass)));
    return done;
  }
}

function halves<Part>({ members, parts }: PassWork<Part>): PassWork<Part>[] {
  if (members.length > 1) return divided(members).map((own) => ({ members: own, parts }));
  if (parts.length > 1) return divided(parts).map((own) => ({ members, parts: own }));
  return [];
}

function divided<T>(list: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(list.length / 2);
  return [list.slice(0, middle), list.slice(middle)];
}
