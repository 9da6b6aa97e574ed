import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CommitOperation } from "@huggingface/hub";
import { UserError } from "../../errors.ts";
import { type ExportedFile, readExportedFolder } from "./exported-folder.ts";
import type { Hub } from "../api/hub.ts";
import { hubPackage } from "../api/hub-package.ts";
import { type HubReference, isPinned, parseReference } from "../api/reference.ts";
import { openRepository, type Repository } from "../cache/repository.ts";
import { isDescription } from "../../model-folder/description-files.ts";

export interface PushOptions {
  /** Whether a new repository is to be private; as the namespace's settings say unless given. */
  readonly private?: boolean | undefined;
  /** Title of the commit. */
  readonly message: string;
  /** Told the bytes that the Hub has received; small files go with the commit at the end. */
  readonly onProgress?: ((progress: { readonly doneBytes: number; readonly totalBytes: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Pushed {
  /** The model's page. */
  readonly url: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
}

/** Weights by the names that transformers looks for. */
const WEIGHTS = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;

/**
 * Uploads a folder that an export wrote to a model of the Hub, in one commit, and compares what the Hub lists then with
 * the folder. A repository that is missing is created; of one that is there, weights of an earlier model and
 * what was said of them are replaced and other files stay. A UserError for a folder that is not as it was exported, and for whatever the Hub refuses.
 */
export async function pushFolder(hub: Hub, name: string, folder: string, options: PushOptions): Promise<Pushed> {
  const { signal } = options;
  const reference = checkPush(hub, name);
  const files = await readExportedFolder(folder, signal);
  const target = { hub, name, fetch: writingFetch(hub, name) };
  try {
    const repository = await openTarget(target, reference, options);
    const id = await upload(target, repository, { folder, files }, options);
    await verify(hub, { ...reference, revision: id }, files, signal);
    return { url: `${hub.endpoint}/${name}`, commit: id };
  } catch (error) {
    // The client's own errors on an abort do not tell the reason.
    signal?.throwIfAborted();
    const { HubApiError } = await hubPackage();
    if (!(error instanceof HubApiError)) throw error;
    throw new UserError(`${name}: the Hub refuses the upload: ${error.message}`, { cause: error });
  }
}

/** Refuses what no upload could be made with, before there is anything to upload; returns the repository. */
export function checkPush(hub: Hub, name: string): HubReference {
  const reference = checkName(name);
  checkToken(hub);
  return reference;
}

interface PushTarget {
  readonly hub: Hub;
  readonly name: string;
  readonly fetch: typeof fetch;
}

function checkName(name: string): HubReference {
  const reference = parseReference(name);
  if (reference?.name === name) return reference;
  throw new UserError(`${name}: expected the name of a model on the Hub, such as your-name/model`);
}

function checkToken({ endpoint, token, tokenSource }: Hub): void {
  if (token?.startsWith("hf_")) return;
  const found = token === undefined ? "no token is set" : `what ${tokenSource} holds is no token, such as hf_…`;
  throw new UserError(`${found}; set HF_TOKEN to one with write access from ${endpoint}/settings/tokens`);
}

/** The hub's fetch, with a refusal to write turned into a UserError that says what to do. */
function writingFetch({ endpoint, tokenSource, fetch }: Hub, name: string): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(`${endpoint}/`) || (init?.method ?? "GET") === "GET") return response;
    const remedy = `set HF_TOKEN to one with write access to ${name.split("/")[0]} from ${endpoint}/settings/tokens`;
    if (response.status === 401) throw new UserError(`the Hub refuses the token in ${tokenSource}; ${remedy}`);
    if (response.status === 403) throw new UserError(`the token in ${tokenSource} may not write to ${name}; ${remedy}`);
    if (response.status === 412) throw new UserError(`${name} was changed during the upload; push again`);
    return response;
  };
}

async function openTarget(
  { hub, name, fetch }: PushTarget,
  reference: HubReference,
  { private: isPrivate, signal }: PushOptions,
): Promise<Repository> {
  const at = { repo: name, hubUrl: hub.endpoint, fetch, accessToken: hub.token ?? "" };
  const { createRepo, repoExists } = await hubPackage();
  if (!(await repoExists(at))) {
    await createRepo({ ...at, ...(isPrivate !== undefined && { visibility: isPrivate ? "private" : "public" }) });
  }
  const repository = await openRepository(hub, "model", reference, { signal });
  if (repository.name !== name) throw new UserError(`${name} is called ${repository.name} now; push to that name`);
  if (isPrivate && repository.source === "hub" && !repository.private) {
    throw new UserError(
      `${name} is there already and public; make it private at ${hub.endpoint}/${name}/settings, or push to another name`,
    );
  }
  return repository;
}

/** Commits all files, and the removal of weights and descriptions that are not among them; returns the commit. */
async function upload(
  { hub, name, fetch }: PushTarget,
  repository: Repository,
  { folder, files }: { readonly folder: string; readonly files: readonly ExportedFile[] },
  { message, onProgress, signal }: PushOptions,
): Promise<string> {
  const paths = new Set(files.map(({ path }) => path));
  const stale = repository.files.filter(({ path }) => (WEIGHTS.test(path) || isDescription(path)) && !paths.has(path));
  const operations: CommitOperation[] = [
    ...files.map(
      ({ path }) => ({ operation: "addOrUpdate", path, content: pathToFileURL(join(folder, path)) }) as const,
    ),
    ...stale.map(({ path }) => ({ operation: "delete", path }) as const),
  ];
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const counting: typeof globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (init?.method === "PUT" && init.body instanceof Blob && response.ok) {
      doneBytes += init.body.size;
      onProgress?.({ doneBytes, totalBytes });
    }
    return response;
  };
  onProgress?.({ doneBytes, totalBytes });
  const { commit } = await hubPackage();
  const done = await commit({
    repo: name,
    hubUrl: hub.endpoint,
    fetch: counting,
    title: message,
    operations,
    parentCommit: repository.commit,
    // The transfer that every Hub speaks, and whose requests can be repeated.
    useXet: false,
    ...(signal && { abortSignal: signal }),
  });
  const id = done?.commit.oid ?? "";
  if (!isPinned({ name, revision: id })) throw new UserError(`${name}: the Hub's answer names no commit; push again`);
  onProgress?.({ doneBytes: totalBytes, totalBytes });
  return id;
}

async function verify(
  hub: Hub,
  reference: HubReference,
  files: readonly ExportedFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { files: found } = await openRepository(hub, "model", reference, { signal });
  const listed = new Map(found.map((file) => [file.path, file]));
  const other = files.find(({ path, sha256, blob }) => {
    const file = listed.get(path);
    return file?.sha256 === undefined ? file?.blob !== blob : file.sha256 !== sha256;
  });
  if (other === undefined) return;
  throw new UserError(
    `${hub.endpoint}/${reference.name}/tree/${reference.revision}: ${other.path} is not the file that was uploaded; push again`,
  );
}
