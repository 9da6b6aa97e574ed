import type { OpenedEngine } from "../experiment/open-engine.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Elsewhere } from "../experiment/workspace.ts";
import { isPluginName } from "../files/plugin-name.ts";
import { numbersFor, type Scoring } from "./answer-job.ts";
import { DeviceBoard } from "./device-board.ts";
import { DeviceChild, type DeviceModels, type DeviceHand } from "./device-child.ts";
import { RemoteScorer } from "./remote-scorer.ts";

interface SharedOptions {
  /** Devices to score on, two or more, the first of which is the run's own. */
  readonly count: number;
  readonly onNotice: (text: string) => void;
}

/** Several devices of this machine that score together: the run's own, by this process, and one more by each of its children. */
export type SharedDevices = Elsewhere & AsyncDisposable;

/** Processes are started once there are parents to score, which need not be read for that. */
export function shareDevices(
  experiment: Experiment,
  { device, why }: OpenedEngine,
  { count, onNotice }: SharedOptions,
): SharedDevices {
  let board: DeviceBoard | undefined;
  const start = (own: DeviceHand): DeviceBoard => {
    const models = modelsOf(experiment);
    const children = Array.from({ length: count - 1 }, (_, i) => {
      const index = i + 1;
      return new DeviceChild({ name: `device ${index}`, models, place: { kind: device.kind, index } });
    });
    return new DeviceBoard({ own, children, onNotice });
  };
  return {
    engine: device,
    why,
    scorer: (use, batchTokens, parents, own) => {
      board ??= start(handOf({ model: parents.model, scorer: own }));
      return new RemoteScorer(board, { use, batchTokens, parents, isMixed: false, areFilesShared: true });
    },
    [Symbol.asyncDispose]: async () => board?.[Symbol.asyncDispose](),
  };
}

/** This process, which has opened the parents already. */
function handOf(scoring: Scoring): DeviceHand {
  return {
    answer: async (job, signal) => {
      if (job.kind === "join") throw new Error("devices: nobody is asked who is there");
      return { worker: "the run", kind: "numbers", ...(await numbersFor(scoring, job, signal)) };
    },
  };
}

function modelsOf({ base, experts, tokenizer, precision, engine }: Experiment): DeviceModels {
  if (isPluginName(engine)) throw new Error(`devices: ${engine} has one`);
  const sent = experts.map(({ name, path }) => ({ name, path }));
  return { base, experts: sent, ...(tokenizer !== undefined && { tokenizer }), precision, engine };
}
