import type { Redis, RedisOptions } from "ioredis";
import { UserError } from "../errors.ts";
import { printableLine } from "../files/printable.ts";
import { type Bullmq, loadBullmq } from "./load-bullmq.ts";
import type { RedisPlace } from "./redis-place.ts";

/** Where a run and the workers for its experiment meet. */
export interface QueuePlace {
  readonly redis: RedisPlace;
  /** Name of the experiment. */
  readonly experiment: string;
}

/** Of BullMQ's queue, which may have no colon. */
export function queueName({ experiment }: QueuePlace): string {
  return `evomerge-${encodeURIComponent(experiment)}`;
}

/** A connection that is there, and comes back by itself when it is lost; a UserError where Redis cannot be reached at first. */
export async function openRedis(
  { redis: { shown, connection } }: QueuePlace,
  options: RedisOptions,
): Promise<{ readonly bullmq: Bullmq; readonly redis: Redis }> {
  const bullmq = await loadBullmq();
  const redis = new bullmq.Redis({ ...connection, ...options, lazyConnect: true });
  let reason = "it closed the connection";
  redis.on("error", ({ message }: Error) => (reason = message));
  try {
    await redis.connect();
    await redis.ping();
    // A database that is not there would be the first one, among keys of others.
    await redis.select(connection.db);
    return { bullmq, redis };
  } catch (error) {
    redis.disconnect();
    if (error instanceof Error && "command" in error) reason = error.message;
    const advice = reason.includes("certificate")
      ? "name its certificate, or who signed it, by NODE_EXTRA_CA_CERTS"
      : "start redis-server, or correct --redis";
    throw new UserError(`${shown}: Redis cannot be used: ${printableLine(reason)}; ${advice}`);
  }
}
