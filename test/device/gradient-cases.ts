import { readFileSync } from "node:fs";
import {
  caseOf,
  decode,
  decodeAll,
  type OperationCase,
  type RawCase,
  type RawTensor,
  type StoredTensor,
} from "./operation-cases.ts";

/** A graph, the derivative of some loss by its result, and by PyTorch's autograd those by its inputs. */
export interface GradientCase extends OperationCase {
  readonly seed: StoredTensor;
  readonly derivatives: Readonly<Record<string, StoredTensor>>;
}

interface RawGradientCase extends RawCase {
  readonly seed: RawTensor;
  readonly derivatives: Readonly<Record<string, RawTensor>>;
}

const raw = readFileSync(new URL("../fixtures/device/gradients.json", import.meta.url), "utf8");

/** Derivatives of each operation, and of graphs of several (test/fixtures/device/make-gradients.py). */
export const gradientCases: readonly GradientCase[] = (JSON.parse(raw) as RawGradientCase[]).map((stored) => ({
  ...caseOf(stored),
  seed: decode(stored.seed),
  derivatives: decodeAll(stored.derivatives),
}));
