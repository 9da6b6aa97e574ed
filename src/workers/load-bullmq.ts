import { createRequire } from "node:module";
import { UserError } from "../errors.ts";

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

/** Loads both packages; a UserError names the command that installs them where one is missing. */
export async function loadBullmq(): Promise<Bullmq> {
  for (const name of Object.keys(PACKAGES)) {
    try {
      require.resolve(name);
    } catch (cause) {
      const install = Object.entries(PACKAGES).map(([own, version]) => `${own}@${version}`);
      // npm passes over a package that package.json names as an optional peer already, unless told where to save it.
      throw new UserError(
        `workers over Redis: ${name} is not installed; run npm install --save-dev ${install.join(" ")}`,
        { cause },
      );
    }
  }
  const [{ Queue, QueueEvents, Worker }, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]);
  return { Queue, QueueEvents, Worker, Redis };
}
