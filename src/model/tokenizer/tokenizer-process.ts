/**
 * The process in which tokenizers run. A stranger's pattern may backtrack for ever and a vocabulary may outgrow the
 * heap, which ends a process, threads and all: here it is one that the run can do without.
 */
import { Worker } from "node:worker_threads";
import { Answering } from "./answering.ts";
import type { Answer, Farewell, Request } from "./protocol.ts";

/** Ends this process when its parent is gone, which a process that is busy for ever does not see itself. */
const watchParent = `
  const { ppid } = process;
  setInterval(() => { if (process.ppid !== ppid) process.kill(process.pid, "SIGKILL"); }, 1000);
`;

const answering = new Answering();
let last: Promise<void> = Promise.resolve();

process.on("disconnect", () => process.exit());
// A terminal interrupts both processes; it is for the parent to decide what ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.on("message", (request: Request | Farewell) => {
  last = last.then(async () => {
    if (request.kind === "forget") answering.forget(request.tokenizer);
    else send(await answering.answer(request));
  });
});
new Worker(watchParent, { eval: true, execArgv: [] }).unref();
send({ kind: "ready" });

function send(answer: Answer): void {
  process.send?.(answer);
}
