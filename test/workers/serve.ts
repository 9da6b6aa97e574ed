/**
 * A worker as a process: its argument is JSON of an experiment file, the URL of a Redis, and milliseconds that every job takes
 * longer than it would, and in which one is lost. It says when it begins each.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { argv, stderr, stdout } from "node:process";
import { UserError } from "../../src/errors.ts";
import type { EngineName } from "../../src/device/engine-names.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { openWorkspace, type Workspace } from "../../src/experiment/workspace.ts";
import { redisPlace } from "../../src/workers/redis-place.ts";
import { serveJobs } from "../../src/workers/serve-jobs.ts";

interface Options {
  readonly file: string;
  readonly url: string;
  readonly slowMs: number;
  readonly lockMs: number;
  readonly engine?: EngineName;
}

const { file, url, slowMs, lockMs, engine } = JSON.parse(argv[2] ?? "") as Options;
const experiment = await loadExperiment(file);
const workspace = await openWorkspace({ ...experiment, ...(engine && { engine }) });
const slow: Workspace = {
  ...workspace,
  scorer: (...asked) => {
    const scorer = workspace.scorer(...asked);
    return {
      lanes: 1,
      tokensOf: (prompts) => scorer.tokensOf(prompts),
      gradient: (...args) => scorer.gradient(...args),
      score: async (...args) => {
        stdout.write("begins\n");
        await sleep(slowMs);
        return scorer.score(...args);
      },
    };
  },
};
const place = { redis: redisPlace(url, {}), experiment: experiment.name };
stdout.write("serves\n");
await serveJobs(slow, place, { lockMs }).catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  stderr.write(error.message);
  process.exitCode = 1;
});
await workspace[Symbol.asyncDispose]();
