/** What every model card has, whatever it is of. */
import { stringify } from "yaml";
import type { Experiment } from "../experiment/experiment.ts";
import { printableLine } from "../files/printable.ts";
import { parseReference } from "../hub/api/reference.ts";
import type { Licence } from "./licence.ts";

/** What the Hub reads: it shows the merge at the pages of its parents. */
export function cardHead(parents: Experiment["experts"], { id }: Licence): string {
  const names = new Set(parents.flatMap(({ path }) => parseReference(path)?.name ?? []));
  return stringify({
    library_name: "transformers",
    tags: ["merge", "evomerge"],
    ...(names.size > 0 && { base_model: [...names], base_model_relation: "merge" }),
    license: id,
  });
}

/** A model of the Hub by its page at the revision that was merged; a folder is nobody's business elsewhere. */
export function linkOf(path: string): string {
  const reference = parseReference(path);
  if (!reference) return "a local model";
  const { name, revision } = reference;
  return `[${name}](https://huggingface.co/${name}/tree/${revision}) at \`${revision}\``;
}

/** The name of an experiment's file, unless it has another, may be anything. */
export function oneLine(text: string): string {
  return printableLine(text.replaceAll(/[\s\p{Cc}]+/gu, " ")).replaceAll(/[<>`[\]|*]/g, "\\$&");
}
