import { shellWord } from "./shell-word.ts";

/** The command that evaluates an exported model. */
export function lmEvalCommand(folder: string): string {
  return `lm_eval --model hf --model_args ${shellWord(`pretrained=${folder}`)} --tasks mmlu --batch_size 8`;
}
