import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ChatTemplate, type ChatTurn } from "../../../../src/model/tokenizer/chat/chat-template.ts";
import { Tokenizer } from "../../../../src/model/tokenizer/tokenizer.ts";
import { refusal } from "../../../refusal.ts";
import { altered } from "../tokenizer-folders.ts";

/** Chats as transformers renders them. */
const {
  named,
  chats,
  templates,
  undefined: small,
} = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "..", "fixtures", "model", "chat-templates.json"), "utf8"),
) as {
  readonly named: Readonly<Record<string, string>>;
  readonly chats: readonly (readonly ChatTurn[])[];
  readonly templates: Readonly<Record<string, { readonly template: string; readonly rendered: readonly string[] }>>;
  readonly undefined: Readonly<Record<string, string | null>>;
};

const asked: readonly ChatTurn[] = [{ role: "user", content: "Why?" }];

const withTemplate = (template: unknown): Promise<string> =>
  altered("byte-level-bos", "tokenizer_config.json", (json) => (json.chat_template = template));

async function rendered(folder: string): Promise<string | undefined> {
  await using tokenizer = await Tokenizer.load(folder);
  return (await tokenizer.renderChats([asked]))[0];
}

describe("a chat template", () => {
  test.each(Object.entries(templates))("like %s is rendered as transformers does it", (_, { template, rendered }) => {
    const own = new ChatTemplate(template, named);
    expect(chats.slice(0, rendered.length).map((chat) => own.render(chat))).toEqual(rendered);
  });

  test.each(Object.entries(small))("does with undefined values what Jinja2 does: %s", (template, expected) => {
    const own = new ChatTemplate(template, named);
    if (expected === null) expect(() => own.render(asked)).toThrow(/^[\w.]+ is undefined, and has no parts$/);
    else expect(own.render(asked)).toBe(expected);
  });

  test("is that of chat_template.jinja, or the default one of tokenizer_config.json", async () => {
    expect(await rendered(await withTemplate("{{ messages[0].content }}{{ bos_token }}"))).toBe("Why?<s>");
    const several = [
      { name: "tool_use", template: "tools" },
      { name: "default", template: "one" },
    ];
    expect(await rendered(await withTemplate(several))).toBe("one");
    const folder = await withTemplate("config");
    await writeFile(join(folder, "chat_template.jinja"), "a\r\nfile\r\n");
    expect(await rendered(folder)).toBe("a\nfile");
  });

  test("that is not there is missed in one sentence", async () => {
    for (const none of [undefined, null, 7, [], [{ name: "tool_use", template: "x" }]]) {
      const folder = await withTemplate(none);
      expect(await refusal(rendered(folder))).toBe(
        `${folder}/tokenizer_config.json: chat_template: expected a template here or in chat_template.jinja; leave out --apply-chat-template, or use a model that was trained on chats`,
      );
    }
  });

  test.each([
    [
      "has no end",
      "{% for a in range(30000) %}{% for b in range(30000) %}{% endfor %}{% endfor %}",
      /it takes more than 8 s$/,
    ],
    [
      "outgrows the memory",
      "{{ range(1000000000) | length }}",
      // From Node 24 on an array does not grow that far.
      /(its process ended \(.*\); it may need more than 1024 MB of memory|Invalid array length)$/,
    ],
    [
      "writes a book",
      "{% set n = namespace(t='x') %}{% for i in range(23) %}{% set n.t = n.t + n.t %}{% endfor %}{{ n.t }}",
      /expected at most 1048640 characters, found 8388608$/,
    ],
    ["is no template", "{% if %}", /: [^:\n]+$/],
    ["refuses the chat", "{{ raise_exception('only\nsystems') }}", /'only\\nsystems'$/],
    [
      "looks for the process",
      "{{ raise_exception(''.constructor.constructor('return process')()) }}",
      /not a function/,
    ],
    ["strips no text", "{{ messages.strip() }}", /expected a text, found ArrayValue$/],
  ])("that %s is refused in one sentence, and the next one is rendered", async (_, template, reason) => {
    const folder = await withTemplate(template);
    const sentence = await refusal(rendered(folder));
    expect(sentence.startsWith(`${folder}: its chat template cannot take 'Why?': `)).toBe(true);
    expect(sentence.replace("; leave out --apply-chat-template", "")).toMatch(reason);
    expect(await rendered(await withTemplate("{{ messages[0].role }}"))).toBe("user");
  });

  test("reaches nothing of JavaScript", () => {
    const paths = [
      "messages.constructor",
      "messages.__proto__",
      "messages[0].constructor",
      "bos_token.constructor",
      "process",
      "globalThis",
      "strip",
    ];
    for (const path of paths) expect(new ChatTemplate(`{{ ${path} }}`, named).render(asked)).toBe("");
  });
});
