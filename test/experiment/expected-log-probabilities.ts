import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TokenIds } from "../../src/experiment/token-ids.ts";

/** Token ids and what transformers gives them. */
interface Sequence {
  readonly ids: TokenIds;
  readonly logProbabilities: number[];
}

const file = join(import.meta.dirname, "..", "fixtures", "model", "log-probabilities.json");

/** By the folder of a model in `fixtures/model`. */
export const expectedLogProbabilities = JSON.parse(await readFile(file, "utf8")) as Record<string, Sequence[]>;
