/** What ggml has said lately, kept for the errors that it explains. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { childProgram } from "../../files/child-program.ts";
import { cannotStart } from "../../files/start-child.ts";
import { reasonOf } from "../../files/system-error.ts";

/** Lines kept; an error shows the last few. */
const KEPT = 20;
const SHOWN = 4;

/** C functions, by their addresses, that take ggml's messages and its last words before it aborts. */
export interface Listeners {
  readonly onLog: bigint;
  readonly onAbort: bigint;
}

const lines: string[] = [];
let port: MessagePort | undefined;

/** Starts the thread that listens; it does not keep the process alive. */
export async function startListening(): Promise<Listeners> {
  const { port1, port2 } = new MessageChannel();
  const { path, execArgv } = childProgram("ggmlMessages");
  const what = "engine ggml: the thread for its messages";
  let worker: Worker;
  try {
    worker = new Worker(path, { workerData: { port: port2, kept: KEPT }, transferList: [port2], execArgv });
  } catch (error) {
    throw cannotStart(what, reasonOf(error));
  }
  const listeners = await new Promise<Listeners>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(cannotStart(what, `exit code ${code}`)));
  });
  worker.unref();
  port1.on("message", keep);
  port1.unref();
  port = port1;
  return listeners;
}

/** The lines since this was last asked, without what ggml marks as meant for its developers. */
export function takeMessages(): string[] {
  // A message is posted before the call that caused it returns, so that none is on its way.
  for (let received = receive(); received; received = receive()) keep(received.message);
  return lines.splice(0);
}

/** The end of an error's sentence: what ggml said of it, if it said anything. */
export function whatGgmlSaid(): string {
  const said = takeMessages().slice(-SHOWN);
  return said.length > 0 ? `; ggml said: ${said.join("; ")}` : "";
}

function receive(): { readonly message: string } | undefined {
  return port && receiveMessageOnPort(port);
}

function keep(line: string): void {
  if (line.startsWith("load_backend: loaded ")) return; // Explains no error.
  // Names of devices and files are in it, and it is shown on terminals.
  lines.push(line.replaceAll(/\p{Cc}+/gu, " ").trim());
  lines.splice(0, lines.length - KEPT);
}
