/** Completion for fish: a line for each command, option and value, with its description. */
import type { CompletedCommand, CompletedOption } from "./completed-commands.ts";

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const groups = commands.filter((command) => command.words.length === 1 && command.commands.length > 0);
  const lines = commands.flatMap((command) => {
    const { words, values, takesFiles } = command;
    const when = condition(command, groups);
    const inner = commands.filter((other) => other.words.length === words.length + 1 && startsWith(other, words));
    const whenAlone = words.length === 0 ? "__fish_use_subcommand" : `${when}; and not ${seen(command.commands)}`;
    return [
      ...inner.map((other) =>
        line(whenAlone, "-f", "-a", quoted(other.words.at(-1) ?? ""), "-d", quoted(other.summary)),
      ),
      ...(values.length === 0 ? [] : [line(when, ...(takesFiles ? [] : ["-f"]), "-a", quoted(values.join(" ")))]),
      ...command.options.map((option) => optionLine(option, words.length === 0 ? "__fish_use_subcommand" : when)),
    ];
  });
  return `# Completion of evomerge for fish.\n${lines.join("\n")}\n`;
}

/** Where the words of the command have been typed, and no group's in front of a command of that name. */
function condition({ words }: CompletedCommand, groups: readonly CompletedCommand[]): string {
  const others = groups.filter((group) => words[0] !== group.words[0]).flatMap((group) => group.words);
  return [...words.map((word) => seen([word])), `not ${seen(others)}`].join("; and ");
}

function seen(words: readonly string[]): string {
  return `__fish_seen_subcommand_from ${words.join(" ")}`;
}

function optionLine({ flags, summary, values }: CompletedOption, when: string): string {
  const names = flags.flatMap((flag) => (flag.startsWith("--") ? ["-l", flag.slice(2)] : ["-s", flag.slice(1)]));
  const value = values === undefined ? [] : values.length === 0 ? ["-r"] : ["-x", "-a", quoted(values.join(" "))];
  return line(when, ...names, ...value, "-d", quoted(summary));
}

function startsWith({ words }: CompletedCommand, above: readonly string[]): boolean {
  return above.every((word, i) => words[i] === word);
}

function line(when: string, ...words: readonly string[]): string {
  return ["complete -c evomerge", "-n", quoted(when), ...words].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
