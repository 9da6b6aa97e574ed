import { createRequire } from "node:module";
import { UserError } from "../errors.ts";
import { printableLine } from "../files/printable.ts";
import { reasonOf } from "../files/system-error.ts";

/** BullMQ and the client of Redis that it takes. */
export interface Bullmq {
  readonly Queue: typeof import("bullmq").Queue;
  readonly QueueEvents: typeof import("bullmq").QueueEvents;
  readonly Worker: typeof import("bullmq").Worker;
  readonly Redis: typeof import("ioredis").Redis;
}

const require: NodeJS.Require = createRequire(import.meta.url);

/** Optional peers, by the versions that were tried. */
const PACKAGES = { bullmq: "6.7.0", ioredis: "5.11.1" } as const;

/** Loads both packages; a UserError names the command that installs them where one is missing, or only a part of it is there. */
export async function loadBullmq(): Promise<Bullmq> {
  for (const name of Object.keys(PACKAGES)) {
    try {
      require.resolve(name);
    } catch (cause) {
      throw refused(`${name} is not installed`, cause);
    }
  }
  try {
    const [{ Queue, QueueEvents, Worker }, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { Queue, QueueEvents, Worker, Redis };
  } catch (cause) {
    throw refused(`bullmq or ioredis does not load (${printableLine(reasonOf(cause))})`, cause);
  }
}

function refused(fault: string, cause: unknown): UserError {
  const install = Object.entries(PACKAGES).map(([own, version]) => `${own}@${version}`);
  // npm passes over a package that package.json names as an optional peer already, unless told where to save it.
  return new UserError(`workers over Redis: ${fault}; run npm install --save-dev ${install.join(" ")}`, { cause });
}
