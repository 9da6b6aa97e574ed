/** Starts ggml once a process: its best backend for this CPU, and the first backend for GPUs that finds any. */
import koffi from "koffi";
import { UserError } from "../../errors.ts";
import { findLibraries, type GgmlLibraries, type GpuBackend } from "./find-libraries.ts";
import { type Ggml, loadGgml, type Pointer } from "./library.ts";
import { IncompleteLibrary, loadLibrary } from "./load-library.ts";
import { takeMessages, whatGgmlSaid } from "./messages.ts";
import type { GpuApi, GpuPackage } from "./packages.ts";

/** enum ggml_backend_dev_type: GPUs with memory of their own, then those that share the CPU's. */
const GPU_TYPES = [1, 2];

/** A package for GPUs that is installed, and what came of it. */
export interface GpuAttempt {
  readonly package: GpuPackage;
  /** A clause; absent where the package is in use or was not needed. */
  readonly problem?: string;
  readonly inUse: boolean;
}

export interface StartedGgml {
  readonly ggml: Ggml;
  readonly cpu: Pointer;
  /** Those that are alike: of one kind and name, as the first that the backend lists. */
  readonly gpus: readonly Pointer[];
  readonly attempts: readonly GpuAttempt[];
}

let started: Promise<StartedGgml> | undefined;

/**
 * The same ggml each time, of the packages that a module at `from` would import. Throws a UserError where it is not
 * installed or not the expected one.
 */
export async function startGgml(from?: string): Promise<StartedGgml> {
  const libraries = await findLibraries(from);
  started ??= start(libraries);
  return started;
}

async function start(libraries: GgmlLibraries): Promise<StartedGgml> {
  const ggml = await loadGgml(libraries);
  const best = await fittest(libraries.cpu);
  const [cpu] = best === undefined ? [] : devicesOf(ggml, ggml.loadBackend(best));
  if (!cpu) throw new UserError(`engine ggml: no backend for this CPU starts${whatGgmlSaid()}`);
  let gpus: readonly Pointer[] = [];
  const attempts: GpuAttempt[] = [];
  for (const backend of libraries.gpus) {
    const { found = [], problem } = gpus.length > 0 ? {} : await tryGpu(ggml, backend);
    const inUse = found.length > 0;
    if (inUse) gpus = found;
    attempts.push({ package: backend.package, inUse, ...(problem !== undefined && { problem }) });
  }
  return { ggml, cpu, gpus, attempts };
}

/** The backend that makes most of this CPU, by its own account. */
async function fittest(files: readonly string[]): Promise<string | undefined> {
  const scored = await Promise.all(files.map(async (file) => ({ file, score: await scoreOf(file) })));
  return scored.filter(({ score }) => score > 0).toSorted((a, b) => b.score - a.score)[0]?.file;
}

async function scoreOf(file: string): Promise<number> {
  try {
    const library = await loadLibrary(file);
    const score = Number(library.func("int ggml_backend_score()")());
    library.unload();
    return score;
  } catch (error) {
    if (error instanceof IncompleteLibrary)
      throw new UserError(`engine ggml: ${file}: ${error.message}`, { cause: error });
    return 0; // It does not load here.
  }
}

async function tryGpu(
  ggml: Ggml,
  backend: GpuBackend,
): Promise<{ readonly found?: readonly Pointer[]; readonly problem?: string }> {
  if ("problem" in backend) return { problem: backend.problem };
  const { api } = backend.package.gpu;
  for (const [name, value] of Object.entries(api.settings ?? {})) process.env[name] ??= value;
  try {
    // ggml would only say that it failed.
    await loadLibrary(backend.file);
  } catch (error) {
    if (error instanceof IncompleteLibrary) return { problem: `${backend.file}: ${error.message}` };
    return { problem: whyNotLoaded(api, error as Error) };
  }
  takeMessages();
  const registry = ggml.loadBackend(backend.file);
  if (!registry) return { problem: `its backend does not start${whatGgmlSaid()}` };
  const devices = devicesOf(ggml, registry);
  const byType = GPU_TYPES.map((type) => devices.filter((device) => Number(ggml.deviceType(device)) === type));
  const [first, ...others] = byType.find(({ length }) => length > 0) ?? [];
  if (!first) return { problem: `it finds no GPU for ${api.title}${whatGgmlSaid()}` };
  const name = hardwareOf(ggml, first);
  return { found: [first, ...others.filter((other) => hardwareOf(ggml, other) === name)] };
}

/** The API and the hardware, without the number by which a backend tells its devices apart. */
export function hardwareOf(ggml: Ggml, device: Pointer): string {
  const api = String(ggml.deviceName(device)).replace(/\d+$/, "");
  return `${api} (${String(ggml.deviceDescription(device)).trim()})`;
}

function devicesOf(ggml: Ggml, registry: Pointer): Pointer[] {
  if (!registry) return [];
  return Array.from({ length: Number(ggml.registryDeviceCount(registry)) }, (_, i) =>
    ggml.registryDeviceAt(registry, i),
  );
}

/** Which libraries of the system are missing; the loader's own message names one at most. */
function whyNotLoaded({ title, runtime, driver, install }: GpuApi, error: Error): string {
  const runtimeMissing = runtime.filter(isMissing);
  const driverMissing = driver.filter(isMissing);
  const clauses = [
    ...(runtimeMissing.length > 0 ? [`${runtimeMissing.join(" and ")} not found (${install})`] : []),
    ...(driverMissing.length > 0 ? [`${driverMissing.join(" and ")} not found (it comes with the GPU's driver)`] : []),
  ];
  return `it wants ${title}: ${clauses.length > 0 ? clauses.join("; ") : error.message}`;
}

function isMissing(library: string): boolean {
  try {
    koffi.load(library);
    return false;
  } catch {
    return true;
  }
}
