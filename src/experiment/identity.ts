import { noPlugins, type Plugins } from "../plugins/load-plugins.ts";
import { rowsDigest } from "../tasks/rows.ts";
import { type Experiment, precisions } from "./experiment.ts";
import type { Task } from "./load-tasks.ts";
import type { Workspace } from "./workspace.ts";
import { sha256Of } from "../files/sha256.ts";
import { evomergeVersion } from "../files/own-package.ts";

/**
 * Everything outside the experiment file that decides a run, mostly as hashes, by a name for people; all but the weights,
 * which are hashed as they are read.
 */
export function identify(
  { tokenizer, precision, model }: Pick<Workspace, "tokenizer" | "precision" | "model">,
  tasks: readonly Task[],
  { modules }: Pick<Plugins, "modules"> = noPlugins,
): Record<string, string> {
  return {
    precision,
    ...Object.fromEntries(modules.map(({ name, sha256 }) => [`plugin ${name}`, sha256])),
    tokenizer: tokenizer.digest,
    "config.json of base": sha256Of(JSON.stringify([model.identity, model.maxLength])),
    ...identifyRows(tasks),
  };
}

/** What is said of the rows alone. */
export function identifyRows(tasks: readonly Task[]): Record<string, string> {
  const entries = tasks.map(({ name, search, guard }) => [
    `rows of ${name}`,
    sha256Of(`${rowsDigest(search)} ${rowsDigest(guard)}`),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** The experiment in the precision that its run began in, which `auto` may not be on another machine. */
export function inPrecisionOf(recorded: Readonly<Record<string, string>>, experiment: Experiment): Experiment {
  const precision = precisions.find((name) => name !== "auto" && name === recorded["precision"]);
  return precision === undefined ? experiment : { ...experiment, precision };
}

/** The first of what is recorded that is not found again, both as enough of a hash to tell two apart. */
export function findChange(
  recorded: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): { readonly name: string; readonly expected: string; readonly found: string } | undefined {
  const changed = Object.entries(recorded).find(([name, value]) => found[name] !== value);
  return changed && { name: changed[0], expected: short(changed[1]), found: short(found[changed[0]]) };
}

/** By parent and tensor, what their files had when they were hashed. */
export type TensorStamps = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function stampsOf({ checkpoints }: Pick<Workspace, "checkpoints">): TensorStamps {
  return Object.fromEntries(Array.from(checkpoints, ([name, { stamps }]) => [name, Object.fromEntries(stamps)]));
}

/** What was read of the parents' weights so far, or is expected of them: a line by parent and tensor. */
export function knownTensors({ checkpoints }: Pick<Workspace, "checkpoints">): {
  readonly tensors: Record<string, Record<string, string>>;
} {
  const entries = Array.from(checkpoints, ([name, { known }]) => [name, Object.fromEntries(known)] as const);
  return { tensors: Object.fromEntries(entries) };
}

/**
 * Tells the parents what another process read of them, so that they refuse to be read when they have changed; `refusal` puts
 * it into words where the file itself need not have changed. With stamps the other is one of this machine.
 */
export function expectTensors(
  { checkpoints }: Workspace,
  { tensors, stamps }: ReturnType<typeof knownTensors> & { readonly stamps?: TensorStamps | undefined },
  refusal: (parent: string, tensor: string, found: string) => string | undefined,
): void {
  for (const [name, checkpoint] of checkpoints)
    checkpoint.expect(
      Object.entries(tensors[name] ?? {}),
      (...found) => refusal(name, ...found),
      new Map(Object.entries(stamps?.[name] ?? {})),
    );
}

function short(value = "nothing"): string {
  return value.slice(0, 12);
}

/** What computed the run; other versions may propose other genes or round otherwise. */
export function versions(
  { engine }: Workspace,
  { modules }: Pick<Plugins, "modules"> = noPlugins,
): Record<string, string> {
  return {
    evomerge: evomergeVersion(),
    node: process.version,
    v8: process.versions.v8,
    engine: engine.name,
    ...Object.fromEntries(
      modules.flatMap(({ name, version }) => (version === undefined ? [] : [[`plugin ${name}`, version]])),
    ),
  };
}
