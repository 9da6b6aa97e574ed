import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { completedCommands } from "../completion/completed-commands.ts";
import { fishCompletion } from "../completion/fish-completion.ts";
import { bashCompletion, zshCompletion } from "../completion/posix-completion.ts";
import { print } from "../output.ts";
import type { CompletionShell } from "../declarations/starting-commands.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `evomerge completion`: prints a script by which a shell completes commands, options and names. */
export function completionCommand(shell: CompletionShell, program: CommandUnknownOpts): void {
  print(scripts[shell](completedCommands(program)).trimEnd());
}
