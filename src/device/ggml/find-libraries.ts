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

/** ggml itself. */
interface Core {
  /** Contexts, graphs, buffers: the library that every other one here was linked with. */
  readonly base: string;
  /** The registry of backends. */
  readonly registry: string;
  /** Backends for this kind of CPU; the machine decides which of them is the best. */
  readonly cpu: readonly string[];
}

export interface GgmlLibraries extends Core {
  /** In the order in which they are tried. */
  readonly gpus: readonly GpuBackend[];
}

interface Installed {
  readonly package: GgmlPackage;
  readonly folder: string;
  readonly version: string;
  /** Undefined in an extension, and where files are missing. */
  readonly core: Core | undefined;
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
  const core = installed.find(({ core, version }) => core && version === PACKAGE_VERSION)?.core;
  if (!core) throw missing(platform, rows, installed);
  return { ...core, gpus: (await Promise.all(installed.map((one) => gpuBackend(one, core)))).flat() };
}

async function locate(from: string, row: GgmlPackage): Promise<Installed[]> {
  let root: string;
  try {
    root = join(dirname(createRequire(from).resolve(`@node-llama-cpp/${row.name}`)), "..");
  } catch {
    return []; // Not installed.
  }
  const { version } = await readJsonObject(join(root, "package.json"));
  const folder = join(root, row.folder);
  return [{ package: row, folder, version: String(version), core: row.core ? coreOf(folder) : undefined }];
}

function coreOf(folder: string): Core | undefined {
  const [base] = files(folder, "-base");
  const [registry] = files(folder, String.raw`(\.[^-]+)?`);
  const cpu = files(folder, String.raw`-cpu(-[\w.]+)?`);
  return base !== undefined && registry !== undefined && cpu.length > 0 ? { base, registry, cpu } : undefined;
}

function missing(platform: string, rows: readonly GgmlPackage[], [found]: readonly Installed[]): UserError {
  const wanted = rows.findLast(({ core }) => core)?.name;
  if (wanted === undefined) return new MissingEngine(`engine ggml: no library exists for ${platform}; use engine tfjs`);
  if (!found) return new MissingEngine(`engine ggml: no library for ${platform}; run ${installLine(wanted)}`);
  if (found.version !== PACKAGE_VERSION) return new UserError(`engine ggml: ${otherVersion(found)}`);
  const { name, core } = found.package;
  if (core) return new UserError(`engine ggml: ${incomplete(found)}`);
  return new UserError(`engine ggml: @node-llama-cpp/${name} needs another package; run ${installLine(wanted)}`);
}

async function gpuBackend(found: Installed, { base }: Core): Promise<GpuBackend[]> {
  const { package: row, folder, version, core } = found;
  if (!bringsGpu(row)) return [];
  if (version !== PACKAGE_VERSION) return [{ package: row, problem: otherVersion(found) }];
  const [backend] = files(folder, `-${row.gpu.backend}`);
  if (backend === undefined || (row.core && !core)) return [{ package: row, problem: incomplete(found) }];
  if (core && !(await sameBytes(core.base, base))) {
    return [{ package: row, problem: `it was built with another ggml than ${base}, and one process holds one` }];
  }
  return [{ package: row, file: backend }];
}

function incomplete({ package: { name }, folder }: Installed): string {
  return `${folder} lacks a library; reinstall @node-llama-cpp/${name}`;
}

async function sameBytes(one: string, other: string): Promise<boolean> {
  const expected = { what: "ggml's base library", maxBytes: BASE_BYTES };
  return one === other || (await readFileWithin(one, expected)).equals(await readFileWithin(other, expected));
}

function otherVersion({ package: { name }, version }: Installed): string {
  return `expected @node-llama-cpp/${name} in version ${PACKAGE_VERSION}, found ${version}; run ${installLine(name)}`;
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
