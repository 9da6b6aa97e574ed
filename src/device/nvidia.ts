import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A GPU as NVIDIA's driver lists it. */
export interface NvidiaGpu {
  readonly name: string;
  /** The driver's version, such as 580.95.05. */
  readonly driver: string;
  readonly freeBytes: number;
}

/** What nvidia-smi lists; none where the tool is missing or fails, as it does without a driver. */
export async function nvidiaGpus(): Promise<NvidiaGpu[]> {
  const query = ["--query-gpu=driver_version,memory.free,name", "--format=csv,noheader,nounits"];
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", query, { timeout: 20_000 });
    return stdout.split("\n").flatMap(parseLine);
  } catch {
    return [];
  }
}

function parseLine(line: string): NvidiaGpu[] {
  const [, driver, mebibytes, name] = /^(\d[\d.]*), (\d+), (.+)$/.exec(line.trim()) ?? [];
  if (driver === undefined || name === undefined) return [];
  return [{ name, driver, freeBytes: Number(mebibytes) * 2 ** 20 }];
}
