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

function parseLine(line: string): NvidiaGpu[] {
  const [, driver, mebibytes, name] = /^(\d[\d.]*), (\d+|\[[^\]]*\]), (.+)$/.exec(line.trim()) ?? [];
  if (driver === undefined || name === undefined) return [];
  // Nothing free would not be worth opening: what cannot be told comes as [N/A], or as 0.
  return [{ name, driver, freeBytes: Number(mebibytes) * 2 ** 20 || undefined }];
}
