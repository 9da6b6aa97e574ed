import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/**
 * Ends a command, as wrong usage, that is given an empty text: as a path it would be the current folder, which a variable of the
 * shell that is not set should not mean. Texts for models, and arguments of other programs, may be empty.
 */
export function refuseEmptyPaths(command: CommandUnknownOpts): void {
  for (const [i, argument] of command.registeredArguments.entries())
    if (!argument.variadic && command.args[i] === "") refuse(command, `argument '${argument.name()}'`);
  for (const option of command.options) {
    if (option.flags.includes("<text")) continue;
    const given: unknown = command.getOptionValue(option.attributeName());
    if ([given].flat().includes("")) refuse(command, `option '${option.flags}'`);
  }
}

function refuse(command: CommandUnknownOpts, what: string): never {
  return command.error(`error: ${what} is empty; give it a value`, { code: "evomerge.emptyPath" });
}
