/** What a shell completes, taken from the declaration of the command line. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { shippedNames } from "../../config/shipped-file.ts";

/** A command by its words behind `evomerge`; the first, without any, is the program itself. */
export interface CompletedCommand {
  readonly words: readonly string[];
  readonly summary: string;
  readonly commands: readonly string[];
  readonly options: readonly CompletedOption[];
  /** Words that may stand for an argument. */
  readonly values: readonly string[];
  /** Whether a file or a folder may, too. */
  readonly takesFiles: boolean;
}

export interface CompletedOption {
  /** Such as `-y` and `--yes`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** Of one that takes a value: the words that may be one, none where it may be any. */
  readonly values: readonly string[] | undefined;
}

/** Arguments and options whose values are names of what ships. */
const SHIPPED = { experiment: "experiment", "--space": "search space" } as const;

/** All commands, those of others behind them. */
export function completedCommands(program: CommandUnknownOpts, above: readonly string[] = []): CompletedCommand[] {
  const { commands, registeredArguments } = program;
  const own: CompletedCommand = {
    words: above,
    summary: program.description(),
    commands: commands.map((command) => command.name()),
    options: [
      ...program.options.map(optionOf),
      { flags: ["-h", "--help"], summary: "display help", values: undefined },
    ],
    values: registeredArguments.flatMap((argument) => argument.argChoices ?? shippedAs(argument.name())),
    takesFiles: registeredArguments.some(({ argChoices }) => !argChoices),
  };
  return [own, ...commands.flatMap((command) => completedCommands(command, [...above, command.name()]))];
}

function optionOf(option: CommandUnknownOpts["options"][number]): CompletedOption {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const takesValue = option.required || option.optional;
  const values = takesValue ? (option.argChoices ?? shippedAs(option.long ?? "")) : undefined;
  return { flags, summary: option.description, values };
}

function shippedAs(name: string): readonly string[] {
  return Object.hasOwn(SHIPPED, name) ? shippedNames(SHIPPED[name as keyof typeof SHIPPED]) : [];
}
