/** The chat template of a merge where its recipe asks for another than the base's. */
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { isJsonObject } from "../../files/json-object.ts";
import { parseJson } from "../../files/json.ts";
import { withoutMembers } from "../../files/json-members.ts";
import { readCompanions } from "../companions.ts";
import type { OpenedModel } from "./open-models.ts";

type Files = ReadonlyMap<string, string | Buffer>;

const TEMPLATE_FILE = "chat_template.jinja";
const TOKENIZER_FILE = "tokenizer_config.json";
/** Names that mergekit has templates for. */
const BUILT_IN: ReadonlySet<string> = new Set(["alpaca", "chatml", "llama3", "mistral", "exaone"]);

const chatml = [
  "{%- for message in messages %}",
  "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}",
  "{%- endfor %}",
  "{%- if add_generation_prompt %}",
  "{{- '<|im_start|>assistant\\n' }}",
  "{%- endif %}",
].join("\n");

/** The files with the template that a recipe names or writes out: `auto` is the one that most models have. */
export async function withChatTemplate(
  files: Files,
  { chatTemplate }: { readonly chatTemplate?: string | undefined },
  opened: ReadonlyMap<string, OpenedModel>,
): Promise<Files> {
  if (chatTemplate === undefined) return files;
  const template = chatTemplate === "auto" ? await mostCommon(opened) : writtenOut(chatTemplate);
  if (template === undefined) return files;
  const config = files.get(TOKENIZER_FILE);
  return new Map([
    ...Array.from(files).filter(([name]) => name !== "chat_template.json"),
    ...(config === undefined
      ? []
      : [[TOKENIZER_FILE, withoutMembers(String(config), new Set(["chat_template"]))] as const]),
    [TEMPLATE_FILE, template],
  ]);
}

function writtenOut(text: string): string {
  if (text === "chatml") return chatml;
  if (/\{[{%]/.test(text)) return text;
  const known = BUILT_IN.has(text) ? "mergekit's own template of that name is not part of evomerge; " : "";
  throw new UserError(
    `recipe: chat_template: ${known}expected auto, chatml or a template in Jinja, found ${JSON.stringify(text)}`,
  );
}

/** Of several that are as common, the first. */
async function mostCommon(opened: ReadonlyMap<string, OpenedModel>): Promise<string | undefined> {
  const counts = new Map<string, number>();
  for (const { folder } of opened.values()) {
    const template = await templateIn(folder);
    if (template !== undefined) counts.set(template, (counts.get(template) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  return Array.from(counts).find(([, count]) => count === most)?.[0];
}

async function templateIn(folder: string): Promise<string | undefined> {
  const files = await readCompanions(folder);
  const own = files.get(TEMPLATE_FILE);
  if (own !== undefined) return String(own);
  const config = files.get(TOKENIZER_FILE);
  if (config === undefined) return undefined;
  const found = parseJson(String(config), join(folder, TOKENIZER_FILE), "a JSON object");
  const template = isJsonObject(found) ? found["chat_template"] : undefined;
  return typeof template === "string" ? template : undefined;
}
