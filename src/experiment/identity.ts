import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Task } from "./load-tasks.ts";
import type { Workspace } from "./workspace.ts";

/** Hashes of everything outside the experiment file that decides a run, by a name for people. */
export async function identify(workspace: Workspace, tasks: readonly Task[]): Promise<Record<string, string>> {
  const identity: Record<string, string> = { tokenizer: workspace.tokenizer.digest, precision: workspace.precision };
  for (const [name, checkpoint] of workspace.checkpoints) {
    identity[`weights of ${name}`] = await checkpoint.fingerprint();
  }
  for (const { name, digest } of tasks) identity[`rows of ${name}`] = digest;
  return identity;
}

/** Refuses to go on with a run whose parents or rows are no longer those it began with. */
export function checkUnchanged(
  recorded: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(recorded)) {
    if (found[name] === value) continue;
    throw new UserError(
      `${name}: expected ${value} as when the run began, found ${found[name]}; restore it, or start a new run`,
    );
  }
}

/** What computed the run; other versions may propose other genes or round otherwise. */
export function versions({ device }: Workspace): Record<string, string> {
  return { evomerge: evomergeVersion(), node: process.version, v8: process.versions.v8, engine: device.name };
}

/** The version in this package's package.json. */
export function evomergeVersion(): string {
  const path = join(import.meta.dirname, "..", "..", "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
