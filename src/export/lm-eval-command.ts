import { shellPath, shellWord } from "../files/shell-word.ts";

/** Paths that lm_eval reads in `--model_args` as they are: commas, = and { have a meaning there, and ends are trimmed. */
const PLAIN = /^[\w@%+:./-]+( +[\w@%+:./-]+)*$/;

/** The command that evaluates an exported model, for a POSIX shell. */
export function lmEvalCommand(folder: string): string {
  const isPlain = PLAIN.test(folder);
  const before = isPlain ? "" : `cd ${shellPath(folder)} && `;
  const model = shellWord(`pretrained=${isPlain ? folder : "."}`);
  return `${before}lm_eval --model hf --model_args ${model} --tasks mmlu --batch_size 8`;
}
