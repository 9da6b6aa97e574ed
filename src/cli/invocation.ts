/** How this program was called, for the paths that it is given and for the commands that it prints. */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { ownFolder } from "../files/own-package.ts";
import { shellPath, shellWord } from "../files/shell-word.ts";

/** What a process knows of its start. */
export interface Invocation {
  /** Folder that the process was started in. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of the program. */
  readonly program: string;
  /** Options of node itself. */
  readonly nodeOptions: readonly string[];
}

const thisProcess: Invocation = {
  folder: process.cwd(),
  environment: process.env,
  program: process.argv[1] ?? "",
  nodeOptions: process.execArgv,
};

/**
 * Goes to the folder that `npm run evomerge` was called in, since npm itself goes to that of the package: paths on the command
 * line and new results are where the caller is. `npm start` runs what ships with the package, and stays there.
 */
export function enterCallersFolder(called: Invocation = thisProcess): void {
  if (called.environment["npm_lifecycle_event"] === "evomerge") process.chdir(callersFolder(called));
}

/** A command of this program about a folder, as the caller's shell takes it. */
export function commandFor(command: string, folder: string, called: Invocation = thisProcess): string {
  const path = relative(callersFolder(called), resolve(folder)) || ".";
  return `${ownCommand(called)} ${command} ${shellPath(path)}`;
}

function callersFolder(called: Invocation): string {
  return npmCaller(called) ?? called.folder;
}

/** The words that this program is called by. */
export function ownCommand(called: Invocation = thisProcess): string {
  const { program, nodeOptions, folder } = called;
  const caller = npmCaller(called);
  if (caller !== undefined) {
    const prefix = packageAround(caller) === ownFolder() ? "" : `--prefix ${shellPath(ownFolder())} `;
    return `npm ${prefix}run -s evomerge --`;
  }
  if (dirname(program).endsWith(join("node_modules", ".bin"))) return "npx evomerge";
  if (basename(program) === "evomerge") return "evomerge";
  const within = relative(folder, program);
  // What pnpm puts into a project calls node with the place in its store.
  if (within.startsWith(join("node_modules", ".pnpm"))) return "pnpm exec evomerge";
  const path = within.startsWith("..") ? program : within;
  return ["node", ...nodeOptions.map(shellWord), shellPath(path)].join(" ");
}

/** Where npm was when it was told to run a script of our package.json; undefined for any other start. */
function npmCaller({ folder, environment }: Invocation): string | undefined {
  const isOwnScript =
    ["evomerge", "start"].includes(environment["npm_lifecycle_event"] ?? "") && folder === ownFolder();
  const caller = environment["INIT_CWD"];
  // As process.cwd() has it, so that paths between the two hold.
  return isOwnScript && caller !== undefined ? realpathSync(caller) : undefined;
}

/** The folder whose scripts npm runs from there. */
function packageAround(folder: string): string | undefined {
  if (["package.json", "node_modules"].some((name) => existsSync(join(folder, name)))) return folder;
  return dirname(folder) === folder ? undefined : packageAround(dirname(folder));
}
