import { parse } from "yaml";
import { json, type Answer } from "./answer.ts";
import type { Content, StoredFile } from "./content.ts";
import { commitAt, type HubRequest, type Place, type Registry } from "./registry.ts";
import type { Commit, LoopbackRepository, RepositoryDescription } from "./repository.ts";

/** What the Hub calls the metadata of a model card. */
interface Card {
  readonly license?: string;
  readonly base_model?: string | readonly string[];
}

/** What the Hub says of a repository: its ids with the fields that `expand` names, or with all of them. */
export async function information(_: Registry, { url }: HubRequest, place: Place): Promise<Answer> {
  const expand = [...url.searchParams.getAll("expand"), ...url.searchParams.getAll("expand[]")];
  const commit = commitAt(place);
  const { repository } = place;
  const { name, type, description } = repository;
  const { private: isPrivate = false, gated = false, disabled = false } = description;
  const cardData = await cardOf(description, commit);
  const fields: Record<string, unknown> = {
    author: name.split("/")[0],
    sha: commit.id,
    lastModified: repository.head.date,
    createdAt: description.createdAt ?? repository.first.date,
    private: isPrivate,
    gated,
    disabled,
    downloads: 0,
    likes: 0,
    tags: [...(description.tags ?? []), ...(cardData.license === undefined ? [] : [`license:${cardData.license}`])],
    cardData,
  };
  const wants = (field: string): boolean => expand.length === 0 || expand.includes(field);
  if (wants("siblings")) fields["siblings"] = await siblings(commit, url.searchParams.has("blobs"));
  if (type === "model" && wants("safetensors")) fields["safetensors"] = await parametersOf(repository, commit);
  const ids = { _id: `${type} ${name}`, id: name, ...(type === "model" && { modelId: name }) };
  return json({ ...ids, ...Object.fromEntries(Object.entries(fields).filter(([field]) => wants(field))) });
}

/** The front matter of README.md, under what the test said. */
async function cardOf({ licence, baseModels }: RepositoryDescription, { files }: Commit): Promise<Card> {
  const readme = files.get("README.md")?.content;
  const text = readme ? (await bytesOf(readme, 0, readme.bytes)).toString() : "";
  const matter = /^---\n(?<yaml>.*?)\n---/s.exec(text)?.groups?.["yaml"] ?? "";
  const card = parse(matter) as Card | null;
  return { ...card, ...(licence !== undefined && { license: licence }), ...(baseModels && { base_model: baseModels }) };
}

function siblings({ files }: Commit, blobs: boolean): Promise<Record<string, unknown>[]> {
  return Promise.all(
    [...files].map(async ([path, file]) => {
      if (!blobs) return { rfilename: path };
      const { blob, lfs } = await file.digests();
      const pointer = lfs && { sha256: lfs.sha256, size: file.bytes, pointerSize: lfs.pointer.length };
      return { rfilename: path, size: file.bytes, blobId: blob, ...(pointer && { lfs: pointer }) };
    }),
  );
}

async function parametersOf({ description }: LoopbackRepository, { files }: Commit): Promise<unknown> {
  if (description.safetensors) return description.safetensors;
  const parameters: Record<string, number> = {};
  const weights = [...files].filter(([path]) => path.endsWith(".safetensors"));
  for (const [, file] of weights) {
    for (const { dtype, shape } of await tensorsOf(file)) {
      parameters[dtype] = (parameters[dtype] ?? 0) + shape.reduce((product, size) => product * size, 1);
    }
  }
  const total = Object.values(parameters).reduce((sum, count) => sum + count, 0);
  return total === 0 ? undefined : { parameters, total };
}

/** The tensors that the header of a safetensors file lists, none where it has no such header. */
async function tensorsOf({ content }: StoredFile): Promise<{ dtype: string; shape: number[] }[]> {
  if (content.bytes < 8) return [];
  const length = Number((await bytesOf(content, 0, 8)).readBigUInt64LE());
  if (8 + length > content.bytes) return [];
  try {
    const { __metadata__: _, ...tensors } = JSON.parse((await bytesOf(content, 8, 8 + length)).toString()) as Record<
      string,
      { dtype: string; shape: number[] }
    >;
    return Object.values(tensors);
  } catch {
    return [];
  }
}

async function bytesOf(content: Content, start: number, end: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.read(start, end)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
