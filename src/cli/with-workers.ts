import { UserError } from "../errors.ts";
import type { RunOptions } from "../run/run-options.ts";
import { redisPlace } from "../workers/redis-place.ts";

/** What a command line says of workers. */
export interface WorkersOptions {
  /** URL of the Redis where a run meets them. */
  readonly redis?: string | undefined;
  readonly mixedEngines?: boolean | undefined;
  readonly parts?: number | undefined;
}

/** Carries a run of an experiment through with the workers that are meant, if any are. */
export async function withWorkers<T>(
  experiment: string,
  { redis, mixedEngines: isMixed, parts }: WorkersOptions,
  running: RunOptions,
  run: (options: RunOptions) => Promise<T>,
): Promise<T> {
  if (redis === undefined) {
    if (isMixed) throw new UserError("--mixed-engines is about workers; give --redis too, or leave it out");
    return run({ ...running, parts });
  }
  const { joinWorkers } = await import("../workers/join-workers.ts");
  const onNotice = (text: string): void => running.onEvent?.({ type: "notice", text });
  const place = { redis: redisPlace(redis, process.env), experiment };
  await using elsewhere = await joinWorkers(place, { isMixed, signal: running.signal, onNotice });
  return await run({ ...running, elsewhere, parts });
}
