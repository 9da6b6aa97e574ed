// A thread that takes ggml's messages. ggml logs from any thread, ours included while it waits in a call, and koffi hands
// such a call to the event loop of the thread that registered the callback: this one is always free to answer.
// Plain JavaScript, since a worker is loaded by Node itself whatever runs our TypeScript.
import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import koffi from "koffi";

const DEBUG = 1;
/** @type {string[]} */
const lines = [];
let rest = "";

/** @param {number} level @param {string} text */
function onLog(level, text) {
  if (level === DEBUG) return;
  const [last = "", ...earlier] = (rest + text).split("\n").toReversed();
  rest = last;
  for (const line of earlier.toReversed()) {
    lines.push(line);
    workerData.port.postMessage(line);
  }
  lines.splice(0, lines.length - workerData.kept);
}

/** ggml calls abort() when this returns. @param {string} text */
function onAbort(text) {
  const said = lines.length > 0 ? `; before that it said: ${lines.join("; ")}` : "";
  try {
    writeSync(2, `ggml ended this process: ${text}${said}\n`);
  } catch {
    // Nobody reads standard error.
  }
}

const logType = koffi.pointer(koffi.proto("void (int level, const char *text, void *data)"));
const abortType = koffi.pointer(koffi.proto("void (const char *text)"));
const onLogAddress = koffi.address(koffi.register(onLog, logType));
const onAbortAddress = koffi.address(koffi.register(onAbort, abortType));
parentPort?.postMessage({ onLog: onLogAddress, onAbort: onAbortAddress });
// Listening keeps the thread, though not the process.
workerData.port.on("message", () => {});
