/** Forks the busy child and tells its process id. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { stdout } from "node:process";

const child = fork(join(import.meta.dirname, "busy-child.js"));
child.once("message", () => stdout.write(`${child.pid}\n`));
