/**
 * The process in which tokenizers run. A stranger's pattern may backtrack for ever and a vocabulary may outgrow the
 * heap, which ends a process, threads and all: here it is one that the run can do without.
 */
import { endWithParent } from "../../files/end-with-parent.ts";
import { Answering } from "./answering.ts";
import type { Answer, Farewell, Request } from "./protocol.ts";

const answering = new Answering();
let last: Promise<void> = endWithParent();

process.on("message", (request: Request | Farewell) => {
  last = last.then(async () => {
    if (request.kind === "forget") answering.forget(request.tokenizer);
    else send(await answering.answer(request));
  });
});
void last.then(() => send({ kind: "ready" }));

function send(answer: Answer): void {
  process.send?.(answer);
}
