/** Why ggml computes on no GPU, and what would change that. */
import { UserError } from "../../errors.ts";
import { MissingEngine } from "../missing-engine.ts";
import { type NvidiaGpu, nvidiaGpus } from "../nvidia.ts";
import { bringsGpu, installLine, packagesFor } from "./packages.ts";
import type { GpuAttempt } from "./start.ts";

/** The error of whoever wanted a GPU: a MissingEngine where this machine shows none. */
export async function missingGpu(attempts: readonly GpuAttempt[]): Promise<UserError> {
  const problems = attempts.flatMap((attempt) => describeProblem(attempt) ?? []);
  if (problems.length > 0) return new UserError(`engine ggml: no GPU can be used: ${problems.join("; ")}`);
  const [gpu] = await nvidiaGpus();
  if (!gpu) return new MissingEngine("engine ggml: no GPU was found; run evomerge doctor");
  return new UserError(`engine ggml: ${describeIdle(gpu)}`);
}

/** A package that is installed and of no use. */
function describeProblem({ package: { name }, problem }: GpuAttempt): string | undefined {
  return problem === undefined ? undefined : `@node-llama-cpp/${name}: ${problem}`;
}

/** A GPU that is there and no package for it, with the package that its driver can carry. */
export function describeIdle({ name, driver }: NvidiaGpu, platform = `${process.platform}-${process.arch}`): string {
  const there = `nvidia-smi lists ${name} (driver ${driver}), and no installed package can use it`;
  const forNvidia = packagesFor(platform)
    .filter(bringsGpu)
    .flatMap(({ name, gpu: { api } }) => {
      return api.nvidiaDriver === undefined ? [] : [{ name, api, least: api.nvidiaDriver }];
    });
  const fitting = forNvidia.find(({ least }) => Number.parseInt(driver, 10) >= least);
  if (fitting) {
    const { title, runtime } = fitting.api;
    return `${there}; run ${installLine(fitting.name)}, which wants ${title} (${runtime.join(", ")}) on the system`;
  }
  if (forNvidia.length === 0) return `${there}; there is none for ${platform}`;
  return `${there}; the packages want driver ${Math.min(...forNvidia.map(({ least }) => least))} or newer`;
}
