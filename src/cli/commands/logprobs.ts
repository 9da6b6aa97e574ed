import { logProbabilities, type LogProbabilitiesOptions } from "../../experiment/log-probabilities.ts";
import type { TokenIds } from "../../experiment/token-ids.ts";
import { parseJson } from "../../files/json.ts";
import { interruptionSignal } from "../interruption.ts";
import { printJson } from "../output.ts";
import { Progress } from "../progress.ts";

export interface LogprobsCommandOptions extends Pick<LogProbabilitiesOptions, "base" | "engine" | "precision"> {
  /** JSON. */
  readonly ids: string;
}

/** `evomerge logprobs`: prints the log-probabilities of token ids as one JSON object. */
export async function logprobsCommand(folder: string, { ids, ...options }: LogprobsCommandOptions): Promise<void> {
  // Whatever it is, it is held against the model where that is known.
  const given = parseJson(ids, "--ids", "a list such as [1, 2, 3]") as TokenIds;
  const progress = new Progress();
  const onNotice = (text: string): void => progress.show({ type: "notice", text });
  const onFetching: LogProbabilitiesOptions["onFetching"] = (done) => progress.show({ type: "fetching", ...done });
  const onProgress = (share: number): void => progress.reach("log-probabilities", share);
  const running = { signal: interruptionSignal(), onNotice, onFetching, onProgress };
  const found = await logProbabilities({ folder, ids: given, ...options, ...running }).finally(progress.end);
  printJson({ logProbabilities: found });
}
