import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";

/** Where Linux shows control groups; version 1 has a folder for each controller there. */
const GROUPS = "/sys/fs/cgroup";

/** The text of a file, undefined where there is none to read. */
type ReadText = (path: string) => string | undefined;

/**
 * Cores that this process may keep busy: those that it may run on, and no more than the time that its control groups leave it,
 * rounded up. Node counts the former alone, so that a container with two of a machine's 64 cores would compute on 64 threads.
 */
export function availableCores(): number {
  return Math.min(availableParallelism(), Math.max(1, Math.ceil(coresInGroups(readText))));
}

/** Seconds of a core that the control groups of this process leave it in a second; Infinity where none has a limit. */
export function coresInGroups(read: ReadText): number {
  const limits = (read("/proc/self/cgroup") ?? "").split("\n").flatMap((line) => {
    const [, controllers = "none", ...rest] = line.split(":");
    // A container may see its own group as the root, whatever the path says.
    const groups = withParents(rest.join(":"));
    if (controllers === "") return groups.map((group) => limitIn(read(`${GROUPS}${group}/cpu.max`)));
    if (!controllers.split(",").includes("cpu")) return [];
    const files = [...new Set(["cpu", controllers])].map((folder) => `${GROUPS}/${folder}`);
    return files.flatMap((folder) => groups.map((group) => limitIn(ofVersion1(`${folder}${group}`, read))));
  });
  return Math.min(...limits);
}

/** A group's path and those around it, `/a/b`, `/a` and the root, without slashes at their ends. */
function withParents(path: string): readonly string[] {
  const isRoot = path === "/" || !path.startsWith("/");
  return isRoot ? [""] : [path, ...withParents(dirname(path))];
}

/** The same words as version 2 has in one file. */
function ofVersion1(folder: string, read: ReadText): string {
  return `${read(`${folder}/cpu.cfs_quota_us`)?.trim()} ${read(`${folder}/cpu.cfs_period_us`)?.trim()}`;
}

/** `200000 100000` is two cores; `max 100000` or -1 in the place of the former no limit. */
function limitIn(text = ""): number {
  const [quota, period] = text.split(/\s+/).map(Number);
  const cores = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return cores > 0 ? cores : Infinity;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
