import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A GPU as NVIDIA's driver lists it. */
export interface NvidiaGpu {
  readonly name: string;
  /** The driver's version, such as 580.95.05. */
  readonly driver: string;
  /** Undefined where the driver does not tell, as of GPUs that share the CPU's memory. */
  readonly freeBytes: number | undefined;
}

/** What nvidia-smi lists of the GPUs that this process may use; none where it is missing or fails, as without a driver. */
export async function nvidiaGpus(): Promise<NvidiaGpu[]> {
  const visible = process.env["CUDA_VISIBLE_DEVICES"];
  const chosen = visible ? [`--id=${visible}`] : [];
  const query = ["--query-gpu=driver_version,memory.free,name", "--format=csv,noheader,nounits", ...chosen];
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", query, { timeout: 20_000 });
    return stdout.split("\n").flatMap(parseLine);
  } catch {
    return [];
  }
}

/** Those of the first one's name: where they stand in the list. */
export function alikeIn(gpus: readonly Pick<NvidiaGpu, "name">[]): number[] {
  return [...gpus.keys()].filter((place) => gpus[place]?.name === gpus[0]?.name);
}

/**
 * Does what makes a library look for GPUs, which it does once a process, and shows it one of those that this process may use, by its
 * place among them. Other processes that are started later see all of them again.
 */
export async function showingOneGpu<T>(place: number, look: () => Promise<T>): Promise<T> {
  const { CUDA_VISIBLE_DEVICES: visible, CUDA_DEVICE_ORDER: order } = process.env;
  // Unless told otherwise CUDA lists the fastest first, and nvidia-smi by their slots.
  if (visible === undefined) process.env["CUDA_DEVICE_ORDER"] ??= "PCI_BUS_ID";
  process.env["CUDA_VISIBLE_DEVICES"] = visible === undefined ? String(place) : (visible.split(",")[place] ?? "");
  try {
    return await look();
  } finally {
    restore("CUDA_VISIBLE_DEVICES", visible);
    restore("CUDA_DEVICE_ORDER", order);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

function parseLine(line: string): NvidiaGpu[] {
  const [, driver, mebibytes, name] = /^(\d[\d.]*), (\d+|\[[^\]]*\]), (.+)$/.exec(line.trim()) ?? [];
  if (driver === undefined || name === undefined) return [];
  // Nothing free would not be worth opening: what cannot be told comes as [N/A], or as 0.
  return [{ name, driver, freeBytes: Number(mebibytes) * 2 ** 20 || undefined }];
}
