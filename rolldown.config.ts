/**
 * How the programs and the library are built: few files each, since Node takes longer to find and read the 450 modules of
 * a command than most commands take (bench/starts.ts). They share chunks, so that every class is there once and what a
 * command does not need is not read.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { CodeSplittingGroup, CodeSplittingNameFunction, OutputBundle, Plugin, RolldownOptions } from "rolldown";
import { childPrograms } from "./src/files/child-program.ts";

/** What is read here of a package.json. */
type Manifest = Record<"name" | "version" | "license", string> &
  Partial<Record<"dependencies" | "peerDependencies" | "optionalDependencies", Record<string, string>>>;

/** Dependencies whose modules go into ours, with all that they import: those where that was measured to pay. */
const INSIDE = new Set([
  "@commander-js/extra-typings",
  "commander",
  "hyparquet",
  "hyparquet-compressors",
  "p-limit",
  "string-width",
  "yaml",
  "zod",
]);

const { dependencies, peerDependencies, optionalDependencies } = manifestIn(import.meta.dirname);
const installed = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
const outside = installed.filter((name) => !INSIDE.has(name));
const entries = ["cli/main.ts", "index.ts", ...Object.values(childPrograms)];

/**
 * What is loaded as one file with all that it imports, though others import some of that, which makes each of these a file: the
 * threads of a merge wait for every one. What two of them import goes with the first.
 */
const inOneFile = ["merge-files/thread-work.ts", "merge-files/merge-work.ts"];

const config = {
  platform: "node",
  input: Object.fromEntries(entries.map((file) => [file.replace(/\.[jt]s$/, ""), join("src", file)])),
  external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
  // As tsc's: Node 20 does not know `using`.
  transform: { target: "es2023" },
  plugins: [notices()],
  output: {
    dir: "dist",
    cleanDir: true,
    // No hashes: stacks are read by people. Nor is anything made shorter, which saves no time.
    chunkFileNames: "chunks/[name].js",
    sourcemap: true,
    // As tsc's maps, these tell file and line.
    sourcemapExcludeSources: true,
    codeSplitting: { groups: inOneFile.map((entry, i) => groupOf(entry, inOneFile.length - i)) },
    // Who writes programs reads these in declarations.
    comments: { jsdoc: false },
  },
} satisfies RolldownOptions;
export default config;

type Modules = Parameters<CodeSplittingNameFunction>[1];

function groupOf(file: string, priority: number): CodeSplittingGroup {
  const entry = join(import.meta.dirname, "src", file);
  const own = basename(file, ".ts");
  let within: ReadonlySet<string> | undefined;
  const name: CodeSplittingNameFunction = (id, modules) => {
    within ??= importedBy(entry, modules);
    return within.has(id) ? own : undefined;
  };
  return { name, debugName: own, priority };
}

/** A module and all that it imports before it begins. */
function importedBy(entry: string, modules: Modules): ReadonlySet<string> {
  const found = new Set([entry]);
  for (const id of found) for (const imported of modules.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}

/** Writes the licences of what is inside beside it. */
function notices(): Plugin {
  return {
    name: "notices",
    generateBundle(_, bundle) {
      const texts = Array.from(modulesInside(bundle), ([folder, modules]) => {
        const { name, version, license } = manifestIn(folder);
        return [`${name} ${version} (${license})`, licenceIn(folder), ...modules.flatMap(claimsIn)].join("\n\n");
      });
      const head = "The programs in this folder hold parts of these packages.";
      this.emitFile({
        type: "asset",
        fileName: "NOTICES.txt",
        source: [head, ...texts].join(`\n\n${"-".repeat(80)}\n\n`),
      });
    },
  };
}

/** The files that are inside, by the folder of their package, in order. */
function modulesInside(bundle: OutputBundle): Map<string, readonly string[]> {
  const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  const inside = new Map<string, string[]>();
  for (const id of modules.toSorted()) {
    // What the bundler adds of its own has no file.
    const isAdded = id.startsWith("\0");
    const folder = isAdded ? join(import.meta.dirname, "node_modules", "rolldown") : packageFolder(id);
    if (folder !== undefined) inside.set(folder, [...(inside.get(folder) ?? []), ...(isAdded ? [] : [id])]);
  }
  return inside;
}

function packageFolder(file: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** Comments by which a file says that it is from somebody else than its package. */
function claimsIn(file: string): string[] {
  const comments = readFileSync(file, "utf8").match(/\/\*[^]*?\*\//g) ?? [];
  return comments.filter((text) => /copyright/i.test(text));
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function licenceIn(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no file of its licence, which the built package must hold`);
  return readFileSync(join(folder, file), "utf8").trim();
}
