/** Completion for bash and zsh: one function that finds the command among the words before, and what may follow. */
import { shellWord } from "../../files/shell-word.ts";
import type { CompletedCommand } from "./completed-commands.ts";

/** What of the function differs. */
interface PosixShell {
  readonly head: string;
  readonly wordsBefore: string;
  readonly previous: string;
  readonly current: string;
  /** Offers the words of a variable. */
  readonly offer: (variable: string) => string;
  readonly offerFiles: string;
  readonly tail: string;
}

const bash: PosixShell = {
  head: "# Completion of evomerge for bash 4 and later.",
  wordsBefore: '"${COMP_WORDS[@]:1:COMP_CWORD-1}"',
  previous: '"${COMP_WORDS[COMP_CWORD-1]}"',
  current: '"${COMP_WORDS[COMP_CWORD]}"',
  offer: (variable) => `mapfile -t COMPREPLY < <(compgen -W "$${variable}" -- "$current")`,
  offerFiles: 'compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current")',
  tail: "complete -F _evomerge evomerge",
};

const zsh: PosixShell = {
  head: "#compdef evomerge\n# Completion of evomerge for zsh.",
  wordsBefore: '"${(@)words[2,CURRENT-1]}"',
  previous: '"${words[CURRENT-1]}"',
  current: '"$PREFIX"',
  offer: (variable) => `compadd -- \${(z)${variable}}`,
  offerFiles: "_files",
  // In a file of fpath, this is the function's own first call.
  tail: 'if [[ "$funcstack[1]" = _evomerge ]]; then _evomerge "$@"; else compdef _evomerge evomerge; fi',
};

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return posixCompletion(commands, bash);
}

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return posixCompletion(commands, zsh);
}

function posixCompletion(commands: readonly CompletedCommand[], shell: PosixShell): string {
  const names = commands.slice(1).map(({ words }) => shellWord(words.join(" ")));
  return `${shell.head}
_evomerge() {
  local word found="" current=${shell.current} options="" values="" files=yes
  for word in ${shell.wordsBefore}; do
    case "\${found:+$found }$word" in
      ${names.join(" | ")}) found="\${found:+$found }$word" ;;
    esac
  done
  case "$found" in
${commands.map(commandCase).join("\n")}
  esac
  case "$found "${shell.previous} in
${commands.flatMap(valueCases).join("\n")}
  esac
  if [[ "$current" == -* ]]; then
    ${shell.offer("options")}
  else
    ${shell.offer("values")}
    if [[ -n "$files" ]]; then ${shell.offerFiles}; fi
  fi
}
${shell.tail}
`;
}

/** What follows a command. */
function commandCase({ words, commands, options, values, takesFiles }: CompletedCommand): string {
  const flags = options.flatMap((option) => option.flags);
  const noFiles = takesFiles ? "" : ' files=""';
  return `    ${shellWord(words.join(" "))}) options=${list(flags)} values=${list([...commands, ...values])}${noFiles} ;;`;
}

/** What follows an option that takes a value: one of its words, else a file. */
function valueCases({ words, options }: CompletedCommand): string[] {
  const patternOf = (flags: readonly string[]): string =>
    flags.map((flag) => shellWord(`${words.join(" ")} ${flag}`)).join(" | ");
  const named = options.filter(({ values }) => values && values.length > 0);
  const others = options.filter(({ values }) => values?.length === 0);
  return [
    ...named.map(({ flags, values = [] }) => `    ${patternOf(flags)}) values=${list(values)} files="" ;;`),
    ...(others.length === 0 ? [] : [`    ${others.map(({ flags }) => patternOf(flags)).join(" | ")}) values="" ;;`]),
  ];
}

function list(words: readonly string[]): string {
  return `'${words.join(" ")}'`;
}
