import type { Workspace } from "../../src/experiment/workspace.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { answerJob } from "../../src/workers/answer-job.ts";
import { type WorkerAnswer, answerOf } from "../../src/workers/answers.ts";
import { type Job, postedJob } from "../../src/workers/jobs.ts";
import type { Dealer, DealOptions } from "../../src/workers/remote-scorer.ts";

/** Has jobs done in this process, sent and received as text; answers come in another order, and some of them twice. */
export class LocalDealer implements Dealer {
  readonly workers: number;
  /** All jobs so far. */
  readonly jobs: Job[] = [];
  readonly #workspaces: readonly Workspace[];
  readonly #random = RandomStream.of(1, "dealer");
  /** What is made of an answer on its way. */
  onTheWay: (answer: WorkerAnswer) => WorkerAnswer = (answer) => answer;

  constructor(workers: number, ...workspaces: readonly Workspace[]) {
    this.workers = workers;
    this.#workspaces = workspaces;
  }

  async count(): Promise<void> {}

  async deal(jobs: readonly Job[], { accept }: DealOptions): Promise<void> {
    const answers: { readonly index: number; readonly answer: WorkerAnswer }[] = [];
    for (const [index, job] of jobs.entries()) {
      this.jobs.push(job);
      const received = postedJob(JSON.parse(JSON.stringify({ call: "1", job }))).job;
      const workspace = this.#workspaces[index % this.#workspaces.length]!;
      const given = await answerJob(workspace, received, {
        name: `w${index % this.workers}`,
        signal: new AbortController().signal,
      });
      const answer = answerOf(JSON.parse(JSON.stringify(this.onTheWay(given))));
      for (let times = 1 + this.#random.integer(2); times > 0; times -= 1) answers.push({ index, answer });
    }
    for (const { index, answer } of this.#random.sample(answers, answers.length)) accept(index, answer);
  }
}
