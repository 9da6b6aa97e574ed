/** What a text means that names a model: a folder, or a repository of the Hub. */
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { nearestPath } from "../config/nearest-path.ts";
import { UserError } from "../errors.ts";
import { type HubReference, parseReference } from "../hub/api/reference.ts";

/**
 * The absolute path of the folder that a text names as seen from `from`, or its reference on the Hub. As in transformers, a
 * folder that is there takes precedence. A name without a revision whose first part is a folder that is there is a
 * missing folder, and a UserError; so no network is asked for it.
 */
export function findModel(
  text: string,
  from: string,
): { readonly folder: string } | { readonly reference: HubReference } {
  const folder = resolve(from, text.replace(/^~(?=$|[/\\])/, homedir()));
  const reference = parseReference(text);
  if (!reference || existsSync(folder)) return { folder };
  const parent = resolve(from, text.split("/", 1)[0] ?? "");
  if (text.includes("@") || !isFolder(parent)) return { reference };
  const nearest = nearestPath(folder);
  const advice =
    nearest === undefined
      ? `for the model of that name on the Hub write ${text}@main`
      : `did you mean ${nearest}, or ${text}@main of the Hub?`;
  throw new UserError(`${text}: no such folder, though there is one at ${parent}; ${advice}`);
}

/** Whether a folder is there. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The model of the Hub that a text names; undefined where a folder of that name is there, or could be meant alone. */
export function hubReference(model: string): HubReference | undefined {
  const found = findModel(model, "");
  return "reference" in found ? found.reference : undefined;
}
