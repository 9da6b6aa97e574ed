import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Bytes that a response carries, read when they are sent. */
export interface Content {
  readonly bytes: number;
  /** The bytes from `start` up to, not including, `end`. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** A file's content, with what the server is to claim of it where that is to be false. */
export interface FalseFile {
  readonly content: string | Uint8Array;
  /** Size that listings give. */
  readonly bytes?: number;
  readonly sha256?: string;
  readonly blob?: string;
}

export type FileSource = string | Uint8Array | FalseFile;

/** What a listing says of a file: the id of its git object and, for an LFS file, the hash of its content. */
export interface Digests {
  /** Git's SHA-1 of the file, or of its pointer where the file is an LFS one. */
  readonly blob: string;
  readonly lfs?: { readonly sha256: string; readonly pointer: string };
}

export interface StoredFile {
  readonly content: Content;
  /** Size that listings give. */
  readonly bytes: number;
  /** Hashes the content at the first call. */
  digests(): Promise<Digests>;
}

const lfsSize = 10 * 2 ** 20;

/** Whether the Hub keeps such a file outside git. */
export function isLfs(path: string, bytes: number): boolean {
  return /\.(?:safetensors|parquet|bin|gguf)$/.test(path) || bytes > lfsSize;
}

/** A file of a repository, from what a test wrote for it. */
export function storedFile(path: string, source: FileSource): StoredFile {
  if (typeof source === "string" || source instanceof Uint8Array) return storedContent(path, contentOf(source));
  return storedContent(path, contentOf(source.content), source);
}

/** A file of a repository with that content; `claims` replaces what listings say of it. */
export function storedContent(path: string, content: Content, claims: Partial<FalseFile> = {}): StoredFile {
  const bytes = claims.bytes ?? content.bytes;
  let digests: Promise<Digests> | undefined;
  return {
    content,
    bytes,
    digests: () => (digests ??= digestsOf(content, { bytes, lfs: isLfs(path, content.bytes), claims })),
  };
}

/** Content that is in memory. */
export function contentOf(source: string | Uint8Array): Content {
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  return {
    bytes: bytes.byteLength,
    // oxlint-disable-next-line typescript/require-await -- an AsyncIterable, like that of a file on disk
    async *read(start, end) {
      yield bytes.subarray(start, end);
    },
  };
}

/** The files below a folder, by their path in it; they are read from disk at each request. */
export function filesBelow(folder: string): Map<string, StoredFile> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(folder, file).split(sep).join("/");
      return [path, storedContent(path, contentOnDisk(file))];
    }),
  );
}

function contentOnDisk(file: string): Content {
  return {
    bytes: statSync(file).size,
    async *read(start, end) {
      // createReadStream's `end` is inclusive, so that it cannot name an empty range.
      if (end > start) yield* createReadStream(file, { start, end: end - 1 });
    },
  };
}

async function digestsOf(
  content: Content,
  { bytes, lfs, claims }: { bytes: number; lfs: boolean; claims: Partial<FalseFile> },
): Promise<Digests> {
  if (!lfs) return { blob: claims.blob ?? (await gitBlob(content)) };
  const sha256 = claims.sha256 ?? (await hashed("sha256", content));
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${bytes}\n`;
  return { blob: claims.blob ?? (await gitBlob(contentOf(pointer))), lfs: { sha256, pointer } };
}

function gitBlob(content: Content): Promise<string> {
  return hashed("sha1", content, `blob ${content.bytes}\0`);
}

async function hashed(algorithm: "sha1" | "sha256", content: Content, prefix = ""): Promise<string> {
  const hash = createHash(algorithm).update(prefix);
  for await (const chunk of content.read(0, content.bytes)) hash.update(chunk);
  return hash.digest("hex");
}
