import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Experiment } from "../experiment/experiment.ts";
import { namesHub, resolveSources, type SourceOptions } from "../experiment/sources.ts";
import { planSources, standInSources } from "../experiment/fetch-sources.ts";
import { cannotWrite } from "../files/cannot-write.ts";
import { type Hub, openHub } from "../hub/api/hub.ts";

interface HubOptions extends SourceOptions {
  /** The environment's unless given. */
  readonly hub?: Hub | undefined;
}

/**
 * Plans an experiment with folders in the place of names on the Hub. Rows and small files are fetched; weights are not, of which `plan`
 * is told the bytes that a run would fetch.
 */
export async function withFolders<T>(
  experiment: Experiment,
  { hub: given, ...options }: HubOptions,
  plan: (experiment: Experiment, fetchBytes: number) => Promise<T>,
): Promise<T> {
  if (!namesHub(experiment)) return plan(experiment, 0);
  const hub = given ?? (await openHub());
  const sources = await resolveSources(experiment, hub, options);
  const folder = await mkdtemp(join(tmpdir(), "evomerge-plan-")).catch(refuse);
  try {
    const here = await standInSources(sources, hub, folder, options).catch(refuse);
    const { missingBytes } = await planSources(sources, hub);
    return await plan(here, missingBytes);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refuse(cause: unknown): never {
  throw cause instanceof Error && "errno" in cause ? cannotWrite(tmpdir(), cause) : cause;
}
