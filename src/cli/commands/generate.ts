import { generate, type GenerateOptions } from "../../experiment/generate.ts";
import { UserError } from "../../errors.ts";
import type { GeneratedText } from "../../generate/generate-texts.ts";
import { type PlacedPrompt, readPrompts } from "../../tasks/prompts.ts";
import { interruptionSignal } from "../interruption.ts";
import { OrderedResults } from "../ordered-results.ts";
import { printJson, tell } from "../output.ts";
import { Progress } from "../progress.ts";

export interface GenerateCommandOptions extends Pick<
  GenerateOptions,
  "base" | "engine" | "precision" | "maxNewTokens" | "until" | "applyChatTemplate"
> {
  readonly prompt?: readonly string[] | undefined;
  readonly file?: string | undefined;
}

/**
 * `evomerge generate`: prints what a model adds to each prompt, a JSON object a line, in the order of the prompts, as soon as it is
 * there. However it ends, what was finished is printed.
 */
export async function generateCommand(
  model: string,
  { prompt = [], file, ...options }: GenerateCommandOptions,
): Promise<void> {
  const signal = interruptionSignal();
  const given = prompt.map((text, i): PlacedPrompt => ({ text, where: `--prompt ${i + 1}` }));
  const prompts = [...given, ...(file === undefined ? [] : await readPrompts(file, signal))];
  if (prompts.length === 0)
    throw new UserError("expected a prompt, found none; give --prompt <text>, or --file <rows> with an input each");
  const progress = new Progress();
  const results = new OrderedResults<GeneratedText>(prompts.length, (i, { text, tokens }) => {
    progress.end();
    printJson({ prompt: prompts[i]?.text, text, tokens });
  });
  const onFetching: GenerateOptions["onFetching"] = (done) => progress.show({ type: "fetching", ...done });
  const onNotice = (text: string): void => progress.show({ type: "notice", text });
  const onProgress = (share: number): void => progress.reach(`${prompts.length} texts`, share);
  const running = { signal, onNotice, onFetching, onProgress, onText: results.add };
  const [texts, names] = [prompts.map(({ text }) => text), prompts.map(({ where }) => where)];
  try {
    await generate({ model, prompts: texts, names, ...options, ...running });
  } catch (error) {
    const missing = results.end();
    if (missing < prompts.length || signal.aborted) tell(`${missing} of ${prompts.length} texts are missing`);
    throw error;
  } finally {
    progress.end();
  }
}
