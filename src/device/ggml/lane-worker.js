// The thread of a lane, which calls C functions one after the other, as it is told: between two of them no other thread is waited
// for, and what one leaves in a core's cache the next finds there.
// Plain JavaScript, since a worker is loaded by Node itself whatever runs our TypeScript.
import { parentPort, workerData } from "node:worker_threads";
import koffi from "koffi";

koffi.config(workerData);
// koffi makes the stacks of a thread when that loads a library: without them the process would end here.
koffi.load(null);

/** @type {Map<bigint, (...values: unknown[]) => unknown>} */
const functions = new Map();

/** @param {import("./c-functions.ts").FunctionPlace} place */
function functionOf({ address, result, parameters }) {
  const known = functions.get(address) ?? koffi.decode(address, koffi.proto(`${result} (${parameters})`));
  functions.set(address, known);
  return known;
}

/** @param {readonly import("./c-functions.ts").NativeCall[]} calls @returns {import("./lane-thread.ts").LaneAnswer} */
function make(calls) {
  for (const [at, { place, values }] of calls.entries()) {
    const result = functionOf(place)(...values);
    if (result) return { at, result };
  }
  return {};
}

parentPort?.on("message", (calls) => {
  try {
    parentPort?.postMessage(make(calls));
  } catch (error) {
    parentPort?.postMessage({ fault: String(error) });
  }
});
