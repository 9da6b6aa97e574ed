/** A process that takes the lock of the folder in its arguments, says so or why not, and keeps it until it is killed. */
import { argv, stdin, stdout } from "node:process";
import { UserError } from "../../src/errors.ts";
import { WriterLock } from "../../src/journal/writer-lock.ts";

try {
  WriterLock.acquire(argv[2] ?? ".");
  stdout.write("held\n");
} catch (error) {
  stdout.write(error instanceof UserError ? "refused\n" : String(error));
}
stdin.resume();
