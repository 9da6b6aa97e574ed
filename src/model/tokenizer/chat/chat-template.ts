/** A folder's chat template: Jinja of strangers, rendered as transformers 5 does it for lm_eval. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { UserError } from "../../../errors.ts";
import { isJsonObject } from "../../../files/json-object.ts";
import { readTextWithin } from "../../../files/read-file.ts";
import { refuseUndefined, undefinedRefusal } from "./refuse-undefined.ts";
import { pythonFunctions, usePython } from "./python-calls.ts";
import { CONFIG_BYTES, TOKENIZER_CONFIG_FILE, type TokenizerConfig } from "../tokenizer-file.ts";

const TEMPLATE_FILE = "chat_template.jinja";

/** Characters of a rendered chat: templates stand the same few hundred, or thousand, around every text. */
const MOST = { each: 16, besides: 2 ** 20 } as const;

/** One turn of a chat. */
export interface ChatTurn {
  readonly role: "system" | "user";
  readonly content: string;
}

/**
 * A template may take any time and memory: only the tokenizers' process should render it. It reaches nothing but what it is
 * given here, since its interpreter knows values of its own only.
 */
export class ChatTemplate {
  readonly #template: Template;
  readonly #named: Readonly<Record<string, string>>;

  /** Throws an Error where the text is no template; `named` are the texts of special tokens by their attributes. */
  constructor(text: string, named: Readonly<Record<string, string>> = {}) {
    // As Jinja reads it, and Python the file.
    this.#template = new Template(text.replaceAll(/\r\n?/g, "\n"));
    usePython(this.#template.parsed);
    refuseUndefined(this.#template.parsed);
    this.#named = named;
  }

  /** Reads the template of a folder, which chat_template.jinja has or else tokenizer_config.json; a UserError where neither does. */
  static async read(
    folder: string,
    config: TokenizerConfig,
    named: Readonly<Record<string, string>>,
  ): Promise<ChatTemplate> {
    const text = await findTemplate(folder, config);
    if (text === undefined) {
      throw new UserError(
        `${join(folder, TOKENIZER_CONFIG_FILE)}: chat_template: expected a template here or in ${TEMPLATE_FILE}; leave out --apply-chat-template, or use a model that was trained on chats`,
      );
    }
    return new ChatTemplate(text, named);
  }

  /**
   * The chat as text, up to where the assistant's turn begins. As in lm_eval, the system's turn is left out where the
   * template refuses it. Throws an Error with the template's words where it refuses the rest too.
   */
  render(chat: readonly ChatTurn[]): string {
    try {
      return this.#render(chat);
    } catch (error) {
      const others = chat.filter(({ role }) => role !== "system");
      if (others.length === chat.length) throw error;
      return this.#render(others);
    }
  }

  #render(messages: readonly ChatTurn[]): string {
    const text = this.#template.render({
      ...this.#named,
      ...undefinedRefusal,
      ...pythonFunctions,
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: true,
    });
    const most = MOST.each * messages.reduce((sum, { content }) => sum + content.length, 0) + MOST.besides;
    if (text.length > most) throw new Error(`expected at most ${most} characters, found ${text.length}`);
    return text;
  }
}

/** The template of a folder, which chat_template.jinja has or else tokenizer_config.json, if either does. */
export async function findTemplate(folder: string, config: TokenizerConfig): Promise<string | undefined> {
  if (!(await readdir(folder)).includes(TEMPLATE_FILE)) return defaultOf(config);
  return readTextWithin(join(folder, TEMPLATE_FILE), { what: "a chat template", maxBytes: CONFIG_BYTES });
}

/** tokenizer_config.json has one template, or several with names. */
function defaultOf({ chat_template: template }: TokenizerConfig): string | undefined {
  if (typeof template === "string") return template;
  const named: unknown = Array.isArray(template)
    ? template.find((one) => isJsonObject(one) && one["name"] === "default")
    : undefined;
  return isJsonObject(named) && typeof named["template"] === "string" ? named["template"] : undefined;
}
