/** Questions to the process that tokenizers run in, and what its answers mean. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import type { Answer, ReadRequest, Request, TokenizerFacts, TokenizerSource } from "./protocol.ts";
import { EndedByOthers, TokenizerChild } from "./tokenizer-child.ts";
import { TOKENIZER_FILE } from "./tokenizer-file.ts";

/**
 * How long a machine that has other work may take: forty times what an idle one does for a vocabulary, and for the
 * slowest kind of tokenizer.
 */
export const PATIENCE = { ms: 8000, msPerMebibyte: 4000, msPerCharacter: 2 } as const;

/** What a tokenizer is read from. */
export type ReadSource = Omit<ReadRequest, "kind">;
/** One that is kept in the process, under a number. */
export type KeptSource = ReadSource & { readonly keepAs: number };

/** Reads a tokenizer in the process that all are in. */
export async function readTokenizer(
  source: ReadSource,
  signal?: AbortSignal,
): Promise<{ readonly facts: TokenizerFacts; readonly child: TokenizerChild }> {
  const { answer, child } = await askAbout(source, { kind: "read", ...source }, tokenizerFolders(source), signal);
  if (answer.kind === "facts") return { facts: answer.facts, child };
  throw unanswered(answer, explainReading(source.folder));
}

export function tokenizerSource(from: string | TokenizerSource): TokenizerSource {
  return typeof from === "string" ? { folder: from } : from;
}

/** The one that gives most last, which is to blame. */
export function tokenizerFolders({ folder, more = [] }: TokenizerSource): readonly string[] {
  return [...more.map((other) => other.folder), folder];
}

/** Asks about folders, the last of which is to blame, with the patience that their size needs. */
export async function askAbout(
  asker: object,
  request: Request,
  folders: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly answer: Answer; readonly child: TokenizerChild }> {
  const bytes = await Promise.all(folders.map((folder) => bytesOf(join(folder, TOKENIZER_FILE))));
  const patienceMs = PATIENCE.ms + PATIENCE.msPerMebibyte * (bytes.reduce((sum, own) => sum + own, 0) / 2 ** 20);
  for (;;) {
    signal?.throwIfAborted();
    const child = TokenizerChild.shared;
    const onAbort = (): void => child.stop(asker, signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      return { answer: await child.ask(asker, request, patienceMs, explainReading(folders.at(-1) ?? "")), child };
    } catch (error) {
      if (!(error instanceof EndedByOthers)) throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

/** A file that is not there is reported by whoever opens it. */
async function bytesOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Says why the tokenizer of a folder cannot be read. */
export function explainReading(folder: string): (reason: string) => string {
  return (reason) => `${join(folder, TOKENIZER_FILE)}: cannot be read: ${reason}; use another tokenizer`;
}

/** What an answer is that gives nothing. */
export function unanswered(answer: Answer, explain: (reason: string) => string): Error {
  if (answer.kind === "refusal") return new UserError(answer.sentence);
  if (answer.kind === "failure") return new UserError(explain(answer.reason));
  return new Error(`tokenizer: an answer of kind ${answer.kind} to another question`);
}
