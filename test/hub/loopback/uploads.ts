import { createHash } from "node:crypto";
import { json, Refusal, type Answer } from "./answer.ts";
import { contentOf, isLfs, storedContent, type StoredFile } from "./content.ts";
import {
  commitAt,
  keyOf,
  requireWriter,
  type HubRequest,
  type Parameters,
  type Place,
  type Registry,
} from "./registry.ts";
import { LoopbackRepository, type RepositoryType } from "./repository.ts";

interface CreateRequest {
  readonly name: string;
  readonly organization?: string;
  readonly type?: RepositoryType;
  readonly private?: boolean;
  readonly visibility?: "public" | "private";
  readonly license?: string;
  readonly files?: readonly WrittenFile[];
}

interface WrittenFile {
  readonly path: string;
  readonly content: string;
  readonly encoding?: "base64" | "utf-8";
}

type Operation =
  | { key: "header"; value: { summary: string; parentCommit?: string } }
  | { key: "file"; value: WrittenFile }
  | { key: "lfsFile"; value: { path: string; oid: string } }
  | { key: "deletedFile"; value: { path: string } };

/** POST /api/repos/create: a repository with its .gitattributes, the files given and, for a licence, a model card. */
export function createRepository(registry: Registry, request: HubRequest): Answer {
  const wanted = JSON.parse(request.body.toString()) as CreateRequest;
  const { type = "model", license: licence } = wanted;
  const name = wanted.name.includes("/") ? wanted.name : `${wanted.organization}/${wanted.name}`;
  requireWriter(registry, request, name);
  const url = `${registry.url}/${type === "dataset" ? "datasets/" : ""}${name}`;
  if (registry.repositories.has(keyOf(type, name))) {
    return json({ error: `You already created this ${type} repo`, url }, { status: 409 });
  }
  const description = {
    files: {
      ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
      ...(licence !== undefined && { "README.md": `---\nlicense: ${licence}\n---\n` }),
      ...Object.fromEntries((wanted.files ?? []).map((file) => [file.path, written(file)])),
    },
    date: new Date().toISOString(),
    private: wanted.private ?? wanted.visibility === "private",
  };
  registry.repositories.set(keyOf(type, name), new LoopbackRepository(type, name, description));
  return json({ url, name, id: name });
}

/** POST preupload: which files are to go to LFS storage. */
export function preupload(_: Registry, { body }: HubRequest, place: Place): Answer {
  commitAt(place);
  const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number }[] };
  return json({
    files: files.map(({ path, size }) => ({
      path,
      uploadMode: isLfs(path, size) ? "lfs" : "regular",
      shouldIgnore: false,
    })),
  });
}

/** POST objects/batch: where to put the objects that the storage lacks; always the plain PUT of Git LFS, never xet. */
export function lfsBatch({ storageUrl, objects }: Registry, { body }: HubRequest): Answer {
  const wanted = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] };
  const upload = (oid: string) => ({
    upload: { href: `${storageUrl}/lfs/${oid}` },
    verify: { href: `${storageUrl}/lfs/verify` },
  });
  return json(
    {
      transfer: "basic",
      objects: wanted.objects.map((each) => (objects.has(each.oid) ? each : { ...each, actions: upload(each.oid) })),
    },
    { headers: { "Content-Type": "application/vnd.git-lfs+json" } },
  );
}

/** PUT of an object, which must hash to its address. */
export function receiveObject({ objects }: Registry, { body }: HubRequest, { sha256 = "" }: Parameters): Answer {
  const actual = createHash("sha256").update(body).digest("hex");
  if (actual !== sha256) throw new Refusal(400, `The content hashes to ${actual}, not to ${sha256}`);
  objects.set(sha256, contentOf(body));
  return json({});
}

/** POST commit: applies its lines of JSON to a branch. */
export function newCommit(registry: Registry, { url, body }: HubRequest, place: Place): Answer {
  if (url.searchParams.has("create_pr")) throw new Refusal(501, "This server has no pull requests");
  const { repository, revision: branch } = place;
  const lines = body.toString().split("\n").filter(Boolean);
  const operations = lines.map((line) => JSON.parse(line) as Operation);
  const header = operations.find((operation) => operation.key === "header")?.value;
  if (!header) throw new Refusal(400, "The commit has no header");
  const head = commitAt(place);
  if (header.parentCommit !== undefined && header.parentCommit !== head.id) {
    throw new Refusal(412, "A commit has happened since. Please refresh and try again.");
  }
  const files = Object.fromEntries(operations.flatMap((operation) => changeOf(registry, operation)));
  const id = repository.commit({ files, title: header.summary, branch, date: new Date().toISOString() });
  return json({
    success: true,
    commitOid: id,
    commitUrl: `${registry.url}/${repository.name}/commit/${id}`,
    hookOutput: "",
  });
}

function changeOf({ objects }: Registry, operation: Operation): [string, StoredFile | null][] {
  if (operation.key === "header") return [];
  const { path } = operation.value;
  if (operation.key === "deletedFile") return [[path, null]];
  if (operation.key === "lfsFile") {
    const content = objects.get(operation.value.oid);
    if (!content) throw new Refusal(400, `LFS pointer of ${path} points to an object that was not uploaded`);
    return [[path, storedContent(path, content)]];
  }
  return [[path, written(operation.value)]];
}

function written({ path, content, encoding = "utf-8" }: WrittenFile): StoredFile {
  return storedContent(path, contentOf(Buffer.from(content, encoding)));
}
