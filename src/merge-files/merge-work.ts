import type { ParentFacts } from "../merge/facts.ts";
import { KernelRunner } from "./kernel-runner.ts";
import { mergeWeight } from "./merge-weight.ts";
import type { LearnTask, MergeTask } from "./task.ts";
import { factsOf } from "./weight-expression.ts";

/** What merges weights, one after the other and in one memory. */
export class MergeWork {
  readonly #runner = new KernelRunner();

  learn(task: LearnTask): Promise<ParentFacts> {
    return factsOf(task);
  }

  merge(task: MergeTask): Promise<number> {
    return mergeWeight(task, this.#runner);
  }
}
