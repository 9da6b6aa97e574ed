import type { EngineName } from "../../device/engine-names.ts";
import type { PluginName } from "../../files/plugin-name.ts";
import { loadExperiment } from "../../experiment/experiment-file.ts";
import { withOverrides } from "../../experiment/experiment.ts";
import { describePrecision } from "../../experiment/precision.ts";
import { openWorkspace } from "../../experiment/workspace.ts";
import { bringHere } from "../../run/recorded/bring-here.ts";
import type { RunEvent } from "../../run/session/events.ts";
import { redisPlace } from "../../workers/redis-place.ts";
import { serveJobs } from "../../workers/serve-jobs.ts";
import { interruptionSignal } from "../interruption.ts";
import { tell } from "../output.ts";
import { Progress } from "../progress.ts";

export interface WorkerCommandOptions {
  readonly redis: string;
  readonly name?: string | undefined;
  readonly engine?: EngineName | PluginName | undefined;
}

/** `evomerge worker`: scores for runs of an experiment that were told of the same Redis, until it is interrupted. */
export async function workerCommand(file: string, { redis, name, engine }: WorkerCommandOptions): Promise<void> {
  const given = withOverrides(await loadExperiment(file), { engine });
  const place = { redis: redisPlace(redis, process.env), experiment: given.name };
  const progress = new Progress();
  const onEvent = (event: RunEvent): void => {
    if (event.type === "notice" || event.type === "fetching") progress.show(event);
  };
  const onNotice = (text: string): void => onEvent({ type: "notice", text });
  const signal = interruptionSignal();
  try {
    const { local } = await bringHere(given, { signal, onEvent });
    await using workspace = await openWorkspace(local, { signal, onNotice });
    progress.end();
    tell(
      `worker for ${given.name} at ${place.redis.shown}: ${workspace.engine.name}, ${describePrecision(workspace.precision)}`,
    );
    const done = await serveJobs(workspace, place, { name, signal, onNotice });
    tell(`worker ended; jobs done: ${done}`);
  } finally {
    progress.end();
  }
}
