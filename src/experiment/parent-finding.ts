import { UserError } from "../errors.ts";
import type { Model } from "../model/architecture.ts";
import type { TokenizerFacts } from "../model/tokenizer/tokenizer.ts";
import type { ParentFiles } from "./parent-files.ts";

/** What was found about a model: why it cannot be scored or merged with the base, or what a person should know of it. */
export interface ParentFinding {
  /** The model as people call it. */
  readonly name: string;
  readonly about: "model" | "tokenizer" | "architecture" | "weights" | "equal";
  readonly verdict: "fault" | "notice";
  /** One sentence. */
  readonly text: string;
}

/** A model with what was found in its small files. */
export interface DescribedParent {
  readonly parent: ParentFiles;
  readonly model: Model;
  readonly tokenizer: TokenizerFacts;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The first sentence that says why there is no merging. */
export function firstFault(findings: readonly ParentFinding[]): string | undefined {
  return findings.find(({ verdict }) => verdict === "fault")?.text;
}

/** What came of it, or the sentence that says why nothing did. */
export async function orReason<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
