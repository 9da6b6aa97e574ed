/** The process that scores for a run on one device of the run's machine, and ends with the run. */
import { UserError } from "../errors.ts";
import { openEngine } from "../experiment/open-engine.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import { endWithParent } from "../files/end-with-parent.ts";
import { answerJob } from "./answer-job.ts";
import { failedAnswer, type WorkerAnswer } from "./answers.ts";
import type { DeviceAnswer, DeviceOpening, DeviceRequest } from "./device-child.ts";
import { postedJob } from "./jobs.ts";

const tell = (answer: DeviceAnswer): void => void process.send?.(answer);
/** Of the job at hand. */
let leaving = new AbortController();

await endWithParent();
process.once("message", (opening: DeviceOpening) => void serve(opening));
tell("ready");

async function serve({ models, place, name, beatMs }: DeviceOpening): Promise<void> {
  try {
    const engine = await openEngine(models, undefined, place);
    const workspace = await openWorkspace(models, { engine });
    process.on("message", (request: DeviceRequest) => {
      if (request === "leave") leaving.abort();
      else void answer(workspace, name, request).then(tell);
    });
    tell("opened");
    setInterval(() => tell("alive"), beatMs);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell({ refusal: error.message });
  }
}

async function answer(workspace: Workspace, name: string, request: object): Promise<WorkerAnswer> {
  leaving = new AbortController();
  const { signal } = leaving;
  try {
    return await answerJob(workspace, postedJob(request).job, { name, signal });
  } catch (error) {
    return signal.aborted ? { worker: name, kind: "left" } : failedAnswer(name, error);
  }
}
