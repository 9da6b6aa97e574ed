import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { formatManifest } from "../../src/model-folder/manifest.ts";
import { compiled } from "../compiled.ts";

/** A process of export-to.ts that has loaded its modules, or is about to. */
export class Exporter {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** What the process said so far, and when. */
  readonly said: { readonly line: string; readonly at: number }[] = [];
  readonly #closed: Promise<unknown>;
  #onLine: (line: string) => void = () => {};

  constructor() {
    this.child = spawn(process.execPath, [compiled("test/export/export-to")], {
      stdio: ["pipe", "pipe", "inherit"],
      timeout: 600_000,
      killSignal: "SIGABRT",
    });
    // Where the process is gone already its end tells.
    this.child.stdin.on("error", () => {});
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.said.push({ line, at: performance.now() });
      this.#onLine(line);
    });
    this.#closed = once(this.child, "close");
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }

  /** Exports, and returns how that ended: `exported`, an error in one line, or `killed`. */
  async export(run: string, to: string, onLine: (line: string) => void = () => {}): Promise<string> {
    this.#onLine = onLine;
    this.child.stdin.write(`${JSON.stringify([run, to])}\n`);
    await this.#closed;
    return this.child.signalCode === "SIGKILL" ? "killed" : (this.said.at(-1)?.line ?? `ended ${this.child.exitCode}`);
  }

  /** Milliseconds between two things that it said. */
  between(first: string, second: string): number {
    const at = (line: string): number => this.said.find((said) => said.line === line)?.at ?? Number.NaN;
    return at(second) - at(first);
  }
}

/** What differs between a folder and its list of hashes; nothing where it is a whole export. */
export function faultsOf(folder: string): readonly string[] {
  if (!existsSync(join(folder, "SHA256SUMS"))) return [`${folder} has no SHA256SUMS`];
  const listed = readFileSync(join(folder, "SHA256SUMS"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => [line.slice(66), line.slice(0, 64)] as const);
  const found = readdirSync(folder).filter((name) => name !== "SHA256SUMS");
  const names = new Set([...found, ...listed.map(([name]) => name)]);
  const digests = new Map(listed);
  return [...names].filter(
    (name) => !found.includes(name) || sha256(readFileSync(join(folder, name))) !== digests.get(name),
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Writes a folder as exports leave them: a card, and weights of so many bytes. */
export async function writeExport(folder: string, card: string, bytes: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "README.md"), card);
  await using weights = await open(join(folder, "model.safetensors"), "w");
  await weights.truncate(bytes);
  const digests = new Map<string, string>();
  for (const name of ["README.md", "model.safetensors"]) {
    const hash = createHash("sha256");
    for await (const piece of createReadStream(join(folder, name))) hash.update(piece as Buffer);
    digests.set(name, hash.digest("hex"));
  }
  writeFileSync(join(folder, "SHA256SUMS"), formatManifest(digests));
}

/** What a file says, or where a link leads. */
export function readLinkOrFile(path: string): string {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path, "utf8");
}
