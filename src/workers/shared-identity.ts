import pLimit from "p-limit";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { identify } from "../experiment/identity.ts";
import type { ScoredParents } from "../experiment/workspace.ts";
import { evomergeVersion } from "../files/own-package.ts";
import { sha256Of } from "../files/sha256.ts";
import { allWeights } from "../model/architecture.ts";
import type { KnownLines } from "./jobs.ts";

/** All that decides on scores, by a name for people, but for the bytes of weights: a run and its workers agree on it. */
export function sharedIdentity(parents: ScoredParents): Record<string, string> {
  const { engine, checkpoints, experts } = parents;
  const headers = Array.from(checkpoints, ([name, { tensors }]) => [
    `tensors of ${name}`,
    sha256Of(
      Array.from(tensors.values(), ({ name, dtype, shape }) => JSON.stringify([name, dtype, shape]))
        .toSorted()
        .join("\n"),
    ),
  ]);
  return {
    evomerge: evomergeVersion(),
    experts: JSON.stringify(experts),
    engine: engine.name,
    ...identify(parents, []),
    ...Object.fromEntries(headers),
  };
}

/** The first tensor that one side knows otherwise than the other. */
export function otherTensor(
  parents: Pick<ScoredParents, "checkpoints">,
  told: KnownLines,
): { readonly parent: string; readonly tensor: string } | undefined {
  for (const [parent, { known }] of parents.checkpoints) {
    for (const [tensor, line] of Object.entries(told[parent] ?? {})) {
      const own = known.get(tensor);
      if (own !== undefined && own !== line) return { parent, tensor };
    }
  }
  return undefined;
}

/** What was told and is not known here. */
export function unknownHere({ checkpoints }: Pick<ScoredParents, "checkpoints">, told: KnownLines): KnownLines {
  const entries = Array.from(checkpoints, ([parent, { known }]) => [
    parent,
    Object.fromEntries(Object.entries(told[parent] ?? {}).filter(([tensor]) => !known.has(tensor))),
  ]);
  return Object.fromEntries(entries) as KnownLines;
}

/** Weights that are read and hashed at once: as many as Node has threads for it. */
const AT_ONCE = 4;

/** Reads all of the parents' weights that nothing is known of. */
export async function readUnknown(
  { checkpoints, model }: Pick<ScoredParents, "checkpoints" | "model">,
  signal: AbortSignal | undefined,
): Promise<void> {
  const names = allWeights(model).map(({ name }) => name);
  const limit = pLimit(AT_ONCE);
  const faults: unknown[] = [];
  const read = async (checkpoint: Checkpoint, name: string): Promise<void> => {
    // Nothing more is begun behind a fault, and nothing is under way when it is thrown.
    if (faults.length > 0) return;
    try {
      signal?.throwIfAborted();
      await checkpoint.read(name);
    } catch (error) {
      faults.push(error);
    }
  };
  const unknown = Array.from(checkpoints.values(), (checkpoint) =>
    names.filter((name) => !checkpoint.known.has(name)).map((name) => limit(read, checkpoint, name)),
  );
  await Promise.all(unknown.flat());
  if (faults.length > 0) throw faults[0];
}
