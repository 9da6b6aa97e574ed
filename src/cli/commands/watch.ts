import { once } from "node:events";
import { UserError } from "../../errors.ts";
import { readJournal } from "../../journal/journal.ts";
import { watchRun } from "../../watch/watch-run.ts";
import { interruptionSignal } from "../interruption.ts";
import { commandFor } from "../invocation.ts";
import { print } from "../output.ts";

/** By which a page's address stays the same when the command is given again, with its port. */
const TOKEN = "EVOMERGE_WATCH_TOKEN";

/** `evomerge watch`: shows a run in the browser, and prints where, until it is interrupted, which is how it ends. */
export async function watchCommand(folder: string, { port }: { readonly port?: number | undefined }): Promise<void> {
  // Once it is shown, what is amiss with a run is told on its page.
  readJournal(folder);
  const signal = interruptionSignal();
  const token = givenToken();
  await using watched = await watchRun(folder, { commandFor, port, ...(token !== undefined && { token }) });
  print(watched.address);
  if (!signal.aborted) await once(signal, "abort");
}

/** Anything shorter might be guessed: 22 characters are 128 bits in base64. */
function givenToken(): string | undefined {
  const token = process.env[TOKEN];
  if (token === undefined || token === "") return undefined;
  if (/^[\w-]{22,100}$/.test(token)) return token;
  throw new UserError(`${TOKEN}: expected 22 to 100 letters, digits, - and _, as \`openssl rand -hex 16\` writes them`);
}
