import { UserError } from "../errors.ts";
import type { RunOptions } from "../run/run-options.ts";
import { redisPlace } from "../workers/redis-place.ts";

/** What a command line says of devices and workers. */
export interface WorkersOptions {
  /** Of this machine, to score on. */
  readonly devices?: number | undefined;
  /** URL of the Redis where a run meets them. */
  readonly redis?: string | undefined;
  readonly mixedEngines?: boolean | undefined;
  readonly parts?: number | undefined;
}

/** Carries a run of an experiment through with the devices or the workers that are meant. */
export async function withWorkers<T>(
  experiment: string,
  { devices, redis, mixedEngines: isMixed, parts }: WorkersOptions,
  running: RunOptions,
  run: (options: RunOptions) => Promise<T>,
): Promise<T> {
  if (redis === undefined) {
    if (isMixed) throw new UserError("--mixed-engines is about workers; give --redis too, or leave it out");
    return run({ ...running, devices, parts });
  }
  if (devices !== undefined)
    throw new UserError("--devices: with --redis workers score, wherever they are; leave out one of both");
  const { joinWorkers } = await import("../workers/join-workers.ts");
  const onNotice = (text: string): void => running.onEvent?.({ type: "notice", text });
  const place = { redis: redisPlace(redis, process.env), experiment };
  await using elsewhere = await joinWorkers(place, { isMixed, signal: running.signal, onNotice });
  return await run({ ...running, elsewhere, parts });
}
