/** GPUs, the packages that are there for them, and what keeps the two apart. */
import { describeIdle } from "../device/ggml/missing-gpu.ts";
import { type GpuAttempt, startGgml } from "../device/ggml/start.ts";
import { nvidiaGpus } from "../device/nvidia.ts";
import { UserError } from "../errors.ts";
import type { Finding } from "./finding.ts";

/** `onGpu`: whether some engine runs on a GPU already. */
export async function gpuFindings(onGpu: boolean): Promise<Finding[]> {
  const attempts = await gpuPackages();
  return [await listed(onGpu || attempts.length > 0), ...attempts.map(packageFinding)];
}

async function listed(served: boolean): Promise<Finding> {
  const [gpu, ...others] = await nvidiaGpus();
  if (!gpu) return { name: "gpu", works: false, detail: "nvidia-smi lists none" };
  if (!served) return { name: "gpu", works: false, detail: describeIdle(gpu) };
  const names = [gpu, ...others].map(({ name, driver }) => `${name} (driver ${driver})`);
  return { name: "gpu", works: true, detail: `nvidia-smi lists ${names.join(", ")}` };
}

function packageFinding({ package: row, problem, inUse }: GpuAttempt): Finding {
  const name = `package ${row.name}`;
  const { title } = row.gpu.api;
  if (problem !== undefined) return { name, works: false, detail: problem };
  return { name, works: true, detail: inUse ? `${title}, in use` : `${title}, not needed: another package has a GPU` };
}

/** None where ggml itself is missing, which is told of the engine. */
async function gpuPackages(): Promise<readonly GpuAttempt[]> {
  try {
    return (await startGgml()).attempts;
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
