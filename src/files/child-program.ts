import { extname, join } from "node:path";
import { ownFolder } from "./own-package.ts";

/** What is started as a process or thread of its own, by its file in `src/`. The build makes each of them a file in `dist/`. */
export const childPrograms = {
  ggmlLane: "device/ggml/lane-worker.js",
  ggmlMessages: "device/ggml/message-worker.js",
  merging: "merge-files/merge-worker.ts",
  parquet: "tasks/parquet-process.ts",
  scoring: "workers/device-process.ts",
  tokenizers: "model/tokenizer/tokenizer-process.ts",
  watching: "watch/watch-process.ts",
} as const;

/** How Node is told to run a program: for `fork`, or as a `Worker`. */
export interface ChildProgram {
  readonly path: string;
  /** Options of Node, beside those that the program is to have. */
  readonly execArgv: string[];
}

/** The program as it is beside this one: built, or in TypeScript where that is what runs here. */
export function childProgram(name: keyof typeof childPrograms): ChildProgram {
  const file = childPrograms[name];
  const built = builtPackage();
  if (built !== undefined) return { path: join(built, "dist", file.replace(/\.ts$/, ".js")), execArgv: [] };
  return { path: join(ownFolder(), "src", file), execArgv: file.endsWith(".ts") ? ["--import", typescript()] : [] };
}

/**
 * The folder of a package that is built: our own, or, where this process is TypeScript, what its environment names, such as
 * that which tests have built. A program starts in half the time there.
 */
function builtPackage(): string | undefined {
  // The build puts this module anywhere in dist/, so that nothing is found from its own place.
  return extname(import.meta.filename) === ".ts" ? process.env["EVOMERGE_BUILT"] : ownFolder();
}

/** A module that lets Node read TypeScript, in threads too: there `--import tsx` leaves it as it is. */
function typescript(): string {
  const tsx = import.meta.resolve("tsx/esm/api");
  return `data:text/javascript,${encodeURIComponent(`import { register } from ${JSON.stringify(tsx)}; register();`)}`;
}
