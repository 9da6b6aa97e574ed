/** Which files of the installed packages to load: chosen whole before anything is loaded, since a process holds one ggml. */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../../errors.ts";
import { readJsonObject } from "../../files/json-object.ts";
import { readFileWithin } from "../../files/read-file.ts";
import { MissingEngine } from "../missing-engine.ts";
import { bringsGpu, type GgmlPackage, type GpuPackage, installLine, PACKAGE_VERSION, packagesFor } from "./packages.ts";

/** Ten times the largest so far. */
const BASE_BYTES = 2 ** 24;

/** A package that brings a GPU's backend, and its file, or why it stays aside. */
export type GpuBackend = { readonly package: GpuPackage } & ({ readonly file: string } | { readonly problem: string });

export interface GgmlLibraries {
  /** Contexts, graphs, buffers: the library that every other one here was linked with. */
  readonly base: string;
  /** The registry of backends. */
  readonly registry: string;
  /** Backends for this kind of CPU; the machine decides which of them is the best. */
  readonly cpu: readonly string[];
  /** In the order in which they are tried. */
  readonly gpus: readonly GpuBackend[];
}

interface Installed {
  readonly package: GgmlPackage;
  readonly folder: string;
  readonly version: string;
}

/**
 * Looks at the packages that a module at `from` would import. Throws a UserError that says what to install where ggml
 * itself is missing; a GPU's package that does not fit is told in its row.
 */
export async function findLibraries(
  from: string = import.meta.url,
  platform = `${process.platform}-${process.arch}`,
): Promise<GgmlLibraries> {
  const rows = packagesFor(platform);
  const installed = (await Promise.all(rows.map((row) => locate(from, row)))).flat();
  const core = installed.find((one) => one.package.core && one.version === PACKAGE_VERSION);
  if (!core) throw missing(platform, rows, installed);
  const base = file(core.folder, "-base");
  return {
    base,
    registry: file(core.folder, String.raw`(\.[^-]+)?`),
    cpu: files(core.folder, String.raw`-cpu(-[\w.]+)?`),
    gpus: (await Promise.all(installed.map((one) => gpuBackend(one, base)))).flat(),
  };
}

async function locate(from: string, row: GgmlPackage): Promise<Installed[]> {
  let root: string;
  try {
    root = join(dirname(createRequire(from).resolve(`@node-llama-cpp/${row.name}`)), "..");
  } catch {
    return []; // Not installed.
  }
  const { version } = await readJsonObject(join(root, "package.json"));
  return [{ package: row, folder: join(root, row.folder), version: String(version) }];
}

function missing(platform: string, rows: readonly GgmlPackage[], [found]: readonly Installed[]): UserError {
  const wanted = rows.findLast(({ core }) => core)?.name;
  if (wanted === undefined) return new MissingEngine(`engine ggml: no library exists for ${platform}; use engine tfjs`);
  if (!found) return new MissingEngine(`engine ggml: no library for ${platform}; run ${installLine(wanted)}`);
  return new UserError(
    found.version === PACKAGE_VERSION
      ? `engine ggml: @node-llama-cpp/${found.package.name} needs the library of another package; run ${installLine(wanted)}`
      : `engine ggml: ${otherVersion(found)}`,
  );
}

async function gpuBackend(found: Installed, base: string): Promise<GpuBackend[]> {
  const { package: row, folder, version } = found;
  if (!bringsGpu(row)) return [];
  if (version !== PACKAGE_VERSION) return [{ package: row, problem: otherVersion(found) }];
  const [backend] = files(folder, `-${row.gpu.backend}`);
  if (backend === undefined) return [{ package: row, problem: `${folder} has no file for it; reinstall the package` }];
  if (row.core && !(await sameBytes(file(folder, "-base"), base))) {
    return [{ package: row, problem: `it was built with another ggml than ${base}, and one process holds one` }];
  }
  return [{ package: row, file: backend }];
}

async function sameBytes(one: string, other: string): Promise<boolean> {
  const expected = { what: "ggml's base library", maxBytes: BASE_BYTES };
  return one === other || (await readFileWithin(one, expected)).equals(await readFileWithin(other, expected));
}

function otherVersion({ package: { name }, version }: Installed): string {
  return `expected @node-llama-cpp/${name} in version ${PACKAGE_VERSION}, found ${version}; run ${installLine(name)}`;
}

function file(folder: string, suffix: string): string {
  const [first] = files(folder, suffix);
  if (first !== undefined) return first;
  throw new UserError(`engine ggml: ${folder} lacks a library; reinstall the package it belongs to`);
}

/** The files `libggml<suffix>.so`, or what the platform makes of that name. */
function files(folder: string, suffix: string): string[] {
  const pattern = new RegExp(`^(lib)?ggml${suffix}\\.(so|dylib|dll)$`);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}
