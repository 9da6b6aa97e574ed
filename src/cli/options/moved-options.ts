import { resolve } from "node:path";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { hubReference } from "../../experiment/model-name.ts";
import type { MovedPlaces } from "../../journal/records.ts";

/** What the options of a command that opens a recorded run say of models and rows that were moved. */
export interface MovedOptions {
  readonly base?: string | undefined;
  readonly expert?: Readonly<Record<string, string>> | undefined;
  readonly rows?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly guard?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** These options, for the commands that take them. */
export const movedBase = ["--base <model>", "folder or Hub name of the base, if it was moved", parseModel] as const;
export const movedExpert = [
  "--expert <name=model>",
  "likewise of an expert; may be repeated, as the next two",
  parseNamedModel,
] as const;
export const movedRows = ["--rows <task=file>", "file of a task's rows, if it was moved", parseNamedFile] as const;
export const movedGuard = ["--guard <task=file>", "file of its guard rows", parseNamedFile] as const;

/** The places that were given, undefined where none was. */
export function movedPlaces({ base, expert, rows, guard }: MovedOptions): MovedPlaces | undefined {
  if (!base && !expert && !rows && !guard) return undefined;
  return {
    ...(base !== undefined && { base }),
    ...(expert && { experts: expert }),
    ...(rows && { rows }),
    ...(guard && { guard }),
  };
}

/** A folder, or a name on the Hub where no folder is called so. */
export function parseModel(text: string, earlier?: string): string {
  if (earlier !== undefined) throw new InvalidArgumentError("expected it once");
  // Resolved, it would be the current folder.
  if (text === "") throw new InvalidArgumentError("expected a folder or a name");
  return hubReference(text) ? text : resolve(text);
}

/** Adds `name=model` to those before it. */
export function parseNamedModel(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, model] = divide(text, "a name and a folder, as in craft=models/craft");
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`expected every name once, found ${name} twice`);
  return { ...earlier, [name]: parseModel(model) };
}

/** Adds `task=file` to those before it; a task may have several. */
function parseNamedFile(
  text: string,
  earlier: Readonly<Record<string, readonly string[]>> = {},
): Record<string, readonly string[]> {
  return parseNamed(text, earlier, resolve);
}

/** Likewise, where what stands behind the task may be no file. */
export function parseNamedTexts(
  text: string,
  earlier: Readonly<Record<string, readonly string[]>> = {},
): Record<string, readonly string[]> {
  return parseNamed(text, earlier, (own) => own);
}

function parseNamed(
  text: string,
  earlier: Readonly<Record<string, readonly string[]>>,
  place: (own: string) => string,
): Record<string, readonly string[]> {
  const [task, own] = divide(text, "a task and a file, as in quiz=rows/quiz.jsonl");
  const others = Object.hasOwn(earlier, task) ? earlier[task] : undefined;
  return { ...earlier, [task]: [...(others ?? []), place(own)] };
}

function divide(text: string, expected: string): [name: string, path: string] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError(`expected ${expected}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
