import { generate, type GenerateOptions } from "../../experiment/generate.ts";
import { UserError } from "../../errors.ts";
import { readPrompts } from "../../tasks/prompts.ts";
import { interruptionSignal } from "../interruption.ts";
import { printJson } from "../output.ts";
import { Progress } from "../progress.ts";

export interface GenerateCommandOptions extends Pick<
  GenerateOptions,
  "engine" | "precision" | "maxNewTokens" | "until"
> {
  readonly prompt?: readonly string[] | undefined;
  readonly file?: string | undefined;
}

/** `evomerge generate`: prints what a model adds to each prompt, a JSON object a line. */
export async function generateCommand(
  model: string,
  { prompt = [], file, ...options }: GenerateCommandOptions,
): Promise<void> {
  const signal = interruptionSignal();
  const prompts = [...prompt, ...(file === undefined ? [] : await readPrompts(file, signal))];
  if (prompts.length === 0)
    throw new UserError("expected a prompt, found none; give --prompt <text>, or --file <rows> with an input each");
  const progress = new Progress();
  const onFetching: GenerateOptions["onFetching"] = (done) => progress.show({ type: "fetching", ...done });
  const onNotice = (text: string): void => progress.show({ type: "notice", text });
  const onProgress = (share: number): void => progress.reach(`${prompts.length} texts`, share);
  const running = { signal, onNotice, onFetching, onProgress };
  const texts = await generate({ model, prompts, ...options, ...running }).finally(progress.end);
  for (const [i, { text, tokens }] of texts.entries()) printJson({ prompt: prompts[i], text, tokens });
}
