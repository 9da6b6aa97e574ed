/** The package as a stranger has it: packed, installed globally, and started by its name in an empty folder. */
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..", "..");

/** Beside what is packed, what a build reads. */
const SOURCES = ["package.json", "src", "rolldown.config.ts", "tsconfig.json", "tsconfig.build.json", "LICENSE"];

/** Without what npm tells the tests of itself. */
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name)));

/** Runs a program in a folder; what it wrote to standard output. An Error shows all that it wrote. */
export async function runIn(
  folder: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = plain,
): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { cwd: folder, env, maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { readonly stdout?: string };
    throw new Error(`${message}\n${stdout ?? ""}`, { cause: error });
  }
}

/** Packs a copy of the sources in a folder, so that nobody's build is replaced; the path of the tarball. */
async function packIn(folder: string): Promise<string> {
  const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { files: readonly string[] };
  const named = files
    .filter((path) => path !== "dist" && !path.startsWith("!"))
    .map((path) => path.replace(/\/\*\.md$/, ""));
  for (const path of [...SOURCES, ...named, "README.md"])
    await cp(join(root, path), join(folder, path), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await runIn(folder, "npm", ["pack", "--silent"]);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  return join(folder, tarball ?? "");
}

export interface Installed extends AsyncDisposable {
  /** Of everything here. */
  readonly folder: string;
  /** Where the package's files are. */
  readonly package: string;
  /** The folder that commands are given in, empty at first. */
  readonly empty: string;
  /** How long the package took to be installed, packed as it was. */
  readonly seconds: number;
  /** Gives a command, found by its name as a shell finds it; what it wrote to standard output. */
  readonly evomerge: (...args: readonly string[]) => Promise<string>;
  /** The same of one that goes on until it is interrupted. */
  readonly start: (...args: readonly string[]) => ChildProcessByStdio<null, Readable, null>;
}

/** Packs and installs the package. What it depends on comes from npm's cache, or else from its registry. */
export async function install(): Promise<Installed> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "evomerge-")));
  // Paths with spaces are nothing special.
  const [prefix, empty, sources] = ["global prefix", "an empty folder", "sources"].map((name) => join(folder, name));
  for (const path of [empty!, sources!]) await mkdir(path);
  const tarball = await packIn(sources!);
  const began = performance.now();
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  await runIn(empty!, "npm", ["install", "--global", "--prefix", prefix!, "--prefer-offline", ...quiet, tarball]);
  const env = {
    ...plain,
    PATH: [join(prefix!, "bin"), plain["PATH"]].join(delimiter),
    HF_HUB_OFFLINE: "1",
    HF_HUB_CACHE: join(prefix!, "cache"),
  };
  return {
    folder,
    package: join(prefix!, "lib", "node_modules", "evomerge"),
    empty: empty!,
    seconds: (performance.now() - began) / 1000,
    evomerge: (...args) => runIn(empty!, "evomerge", args, env),
    start: (...args) => spawn("evomerge", args, { cwd: empty, env, stdio: ["ignore", "pipe", "inherit"] }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
