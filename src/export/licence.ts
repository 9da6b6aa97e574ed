import { join } from "node:path";
import { z } from "zod";
import { readBeginning } from "../files/read-file.ts";
import { frontMatter } from "../hub/transfer/front-matter.ts";

/** Where the front matter of a model card ends at the latest. */
const CARD = { what: "a model card", maxBytes: 1 << 16 };

/** A licence by its name on the Hub, such as `apache-2.0` or `other`, and what a reader should know of it. */
export interface Licence {
  readonly id: string;
  /** Sentences in Markdown. */
  readonly note: string;
}

/** What a licence asks of models that are made of a model under it. */
interface Conditions {
  /** To be displayed. */
  readonly credit?: string;
  /** Of the new model's name. */
  readonly beginning?: string;
  /** To stand in a text file named Notice. */
  readonly notice: string;
}

const llama = (version: string): Conditions => ({
  credit: "Built with Llama",
  beginning: "Llama",
  notice: `Llama ${version} is licensed under the Llama ${version} Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.`,
});

const conditions: ReadonlyMap<string, Conditions> = new Map([
  [
    "llama2",
    {
      notice:
        "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved.",
    },
  ],
  [
    "llama3",
    {
      credit: "Built with Meta Llama 3",
      beginning: "Llama 3",
      notice:
        "Meta Llama 3 is licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.",
    },
  ],
  ["llama3.1", llama("3.1")],
  ["llama3.2", llama("3.2")],
  ["llama3.3", llama("3.3")],
  [
    "gemma",
    { notice: "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms" },
  ],
]);

/**
 * The licence of a merge of models, by their names: that of all of them, or else `other`. Which licence outweighs which
 * is for people to judge.
 */
export function mergedLicence(licences: ReadonlyMap<string, string | undefined>): Licence {
  const stated = new Set(licences.values());
  const [first] = stated;
  const id = stated.size === 1 && first !== undefined ? first : "other";
  const silent = Array.from(licences).flatMap(([name, licence]) => (licence === undefined ? [name] : []));
  const sentences = [
    ...(stated.size > 1 ? [`The licences of the models differ: ${listed(licences)}.`] : []),
    ...(stated.size > 1 ? ["What any of them asks for holds for the merge, so that the strictest applies."] : []),
    ...(silent.length > 0 ? [`No licence is stated for ${silent.join(", ")}: ask before you pass the merge on.`] : []),
    ...(id === "other" ? [] : [`All models are under the licence \`${id}\`, and so is the merge.`]),
    ...(first === "other" && stated.size === 1 ? ["The models have licences of their own: see their pages."] : []),
    ...Array.from(stated, (licence) => conditions.get(licence ?? "")).flatMap((asked) => (asked ? asks(asked) : [])),
  ];
  return { id, note: sentences.join(" ") };
}

/** The licence in the front matter of a model folder's README.md; undefined where it states none. */
export async function licenceOf(folder: string): Promise<string | undefined> {
  const { license } = cardSchema.safeParse(frontMatter(await beginningOf(join(folder, "README.md")))).data ?? {};
  return license === "unknown" ? undefined : license;
}

function listed(licences: ReadonlyMap<string, string | undefined>): string {
  return Array.from(licences, ([name, licence]) => `${name}: ${licence ?? "not stated"}`).join("; ");
}

function asks({ credit, beginning, notice }: Conditions): string[] {
  return [
    ...(credit === undefined ? [] : [`${credit}.`]),
    ...(beginning === undefined ? [] : [`The name of a model that is passed on must begin with "${beginning}".`]),
    `A file named NOTICE must go with it that says: "${notice}"`,
  ];
}

/** The names that the Hub gives licences are of these characters; a card of a stranger may say anything. */
const cardSchema = z.object({ license: z.string().regex(/^[a-z0-9][a-z0-9.+-]{0,63}$/) });

/** The text of a file as far as a card's front matter may go; none of a file that cannot be read. */
async function beginningOf(path: string): Promise<string> {
  try {
    return (await readBeginning(path, CARD)).toString("utf8");
  } catch {
    return "";
  }
}
