/** Files that ship with the package and are called by a name, from any folder. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { ownFolder } from "../files/own-package.ts";
import { realPath } from "../files/real-path.ts";
import { nearestName } from "./nearest-name.ts";

/** What there are names for, and the folder of the package that they are in. */
const folders = { experiment: "experiments", "search space": "search-spaces" } as const;

export type ShippedKind = keyof typeof folders;

/** A path has a separator or an ending; a name has neither. */
const NAME = /^[\w-]+$/;

/**
 * The shipped file that a text means as seen from `from`; undefined where it is a path, such as that of a file that is called so. A
 * name that nothing has, or that a file beside it has but for the ending, or one that `init` wrote in a folder of that name, is a UserError.
 */
export function shippedFile(text: string, from: string, kind: ShippedKind): string | undefined {
  if (!NAME.test(text) || isFile(resolve(from, text))) return undefined;
  const endings = [".yaml", ".yml", ...(kind === "experiment" ? ["/experiment.yaml"] : [])];
  const own = endings.map((ending) => `${text}${ending}`).find((file) => isFile(resolve(from, file)));
  const names = shippedNames(kind);
  if (!names.includes(text)) {
    if (own === undefined && existsSync(resolve(from, text))) return undefined;
    const nearest = own ?? nearestName(text, names);
    const advice = nearest === undefined ? `those are ${names.join(", ")}` : `did you mean ${nearest}?`;
    throw new UserError(`${text}: no such file, and no ${kind} that ships with evomerge has this name; ${advice}`);
  }
  const shipped = join(ownFolder(), folders[kind], `${text}.yaml`);
  if (own !== undefined && realPath(resolve(from, own)) !== realPath(shipped)) {
    throw new UserError(
      `${text}: expected one file, found two that may be meant; write ${own} for the one here, or ${shipped} for the ${kind} that ships with evomerge`,
    );
  }
  return shipped;
}

/** The names that shipped files have. */
export function shippedNames(kind: ShippedKind): readonly string[] {
  const files = readdirSync(join(ownFolder(), folders[kind])).filter((file) => extname(file) === ".yaml");
  return files.map((file) => basename(file, ".yaml")).toSorted();
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
