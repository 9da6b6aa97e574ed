import { z } from "zod";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { reasonOf } from "../../files/system-error.ts";
import { UserError } from "../../errors.ts";
import { pageOf, type Subject } from "./explain-refusal.ts";
import { filePath, gated, lastCommit, sha1, sha256, wholeNumber } from "./fields.ts";
import type { Hub } from "./hub.ts";
import { fetchAnswers } from "./hub-answers.ts";
import { hubPackage } from "./hub-package.ts";
import { parseReference } from "./reference.ts";
import type { HubRepository, RepositoryFile } from "./snapshot.ts";

/** What the Hub tells of a repository at a revision, without its files. */
export type Description = Omit<HubRepository, "files">;

const text = z.string().max(1000);
/** One or several; cards are written by people, so what is not of that form is left out. */
const texts = z.union([text.transform((one) => [one]), z.array(text)]).catch([]);

const descriptionSchema = z.object({
  name: z.string().refine((name) => parseReference(name)?.name === name, "expected the name of a repository"),
  sha: sha1,
  private: z.boolean().default(false),
  gated: gated.default(false),
  disabled: z.boolean().default(false),
  createdAt: z.iso.datetime().optional(),
  tags: texts,
  cardData: z.object({ license: texts }).nullish().catch(undefined),
  safetensors: z.object({ total: wholeNumber }).nullish().catch(undefined),
});

const entrySchema = z.looseObject({ type: z.string() });

const fileSchema = z.object({
  path: filePath,
  size: wholeNumber,
  oid: sha1,
  lfs: z.object({ oid: sha256, size: wholeNumber }).nullish(),
  // The Hub gives none where it could not find it in time.
  lastCommit: lastCommit.nullish(),
});

/** Asks which commit the revision is, and for what is known of the repository; a UserError explains a refusal. */
export async function askForDescription(hub: Hub, subject: Subject, signal?: AbortSignal): Promise<Description> {
  const { type, reference } = subject;
  const about = { ...reference, hubUrl: hub.endpoint, fetch: fetchAnswers(hub, subject, signal, false) };
  const fields = ["sha", "createdAt", "cardData", "tags", "disabled"] as const;
  const page = pageOf(hub, subject);
  const { datasetInfo, modelInfo } = await hubPackage();
  const told = await ask(page, signal, () =>
    type === "model"
      ? modelInfo({ ...about, additionalFields: [...fields, "safetensors"] })
      : datasetInfo({ ...about, additionalFields: [...fields] }),
  );
  const answer = check(page, descriptionSchema, told);
  const { createdAt, cardData, safetensors } = answer;
  return {
    source: "hub",
    type,
    name: answer.name,
    requested: reference,
    commit: answer.sha,
    private: answer.private,
    gated: answer.gated,
    disabled: answer.disabled,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(cardData?.license.length ? { licence: cardData.license.join(", ") } : {}),
    tags: answer.tags,
    ...(safetensors ? { parameters: safetensors.total } : {}),
  };
}

/** All files of the repository at the commit, with the last commit of each if wanted. */
export async function askForFiles(
  hub: Hub,
  { type, name, commit }: Description,
  withCommits: boolean,
  signal?: AbortSignal,
): Promise<readonly RepositoryFile[]> {
  const subject = { type, reference: { name, revision: commit } };
  const page = pageOf(hub, subject);
  const { listFiles } = await hubPackage();
  const entries = listFiles({
    repo: { type, name },
    revision: commit,
    recursive: true,
    expand: withCommits,
    hubUrl: hub.endpoint,
    fetch: fetchAnswers(hub, subject, signal, true),
  });
  const files = new Map<string, RepositoryFile>();
  for (;;) {
    const { done, value } = await ask(page, signal, () => entries.next());
    if (done === true) return [...files.values()];
    if (check(page, entrySchema, value).type !== "file") continue;
    const { path, size, oid, lfs, lastCommit } = check(page, fileSchema, value);
    if (files.has(path)) throw new UserError(`${page}: the Hub lists ${show(path)} twice`);
    files.set(path, {
      path,
      bytes: lfs?.size ?? size,
      blob: oid,
      ...(lfs ? { sha256: lfs.oid } : {}),
      ...(lastCommit ? { lastCommit } : {}),
    });
  }
}

/** Calls the client; whatever it makes of a strange answer becomes a UserError. */
async function ask<T>(page: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof UserError) throw cause;
    throw new UserError(`${page}: the Hub's answer cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** The answer as the schema has it; the client passes on what comes, whatever its types say. */
function check<T>(page: string, schema: z.ZodType<T>, answer: unknown): T {
  const { data, error } = schema.safeParse(answer, { reportInput: true });
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw new UserError(
    `${page}: the Hub's answer has ${show(issue?.input)} as ${issue?.path.join(".")}, which cannot be: ${issue?.message}`,
  );
}
