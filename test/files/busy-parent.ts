/** Forks the busy child and tells its process id. */
import { fork } from "node:child_process";
import { stdout } from "node:process";
import { childProgram } from "../../src/files/child-program.ts";

// From the folder of this file, with the way of running TypeScript that the program itself has.
const { path, execArgv } = childProgram(import.meta.dirname, "busy-child");
const child = fork(path, { execArgv });
child.once("message", () => stdout.write(`${child.pid}\n`));
