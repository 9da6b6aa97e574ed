import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** Prints how many threads come to be when the pool is first used. */
const program = `
  const { readdirSync, promises } = require("node:fs");
  const threads = () => readdirSync("/proc/self/task").length;
  const before = threads();
  promises.stat(".").then(() => console.log(threads() - before));
`;

test.skipIf(process.platform !== "linux")(
  "Node's pool has a thread for each core, and more that read; what somebody asked for stays",
  async () => {
    expect(await threadsOfPool({})).toBe(availableParallelism() + 4);
    expect(await threadsOfPool({ UV_THREADPOOL_SIZE: "3" })).toBe(3);
  },
);

async function threadsOfPool(env: NodeJS.ProcessEnv): Promise<number> {
  const args = ["--require", "./src/cli/thread-pool.cjs", "--eval", program];
  return Number((await promisify(execFile)(process.execPath, args, { env })).stdout);
}
