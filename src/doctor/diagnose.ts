/** What this machine can do for a run: engines, disk, memory, lm_eval, the Hub. */
import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { engines, openDevice } from "../device/open-device.ts";
import { openHub } from "../hub/hub.ts";
import { findLmEval } from "../lm-eval/find-lm-eval.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  /** Whether it works; what is optional may be absent. */
  readonly works: boolean;
  /** What was found, or what to do. */
  readonly detail: string;
}

/** Looks at everything that a run may need; never throws for what is missing. */
export async function diagnose(): Promise<Finding[]> {
  const found: Finding[] = [];
  // One after another, the optional packages first: a process runs one backend of TensorFlow.js only.
  for (const name of ["tfjs-node-gpu", "tfjs-node", "tfjs", "ggml"] as const) {
    found.push(await attempt(`engine ${name}`, () => deviceName(name)));
  }
  return [
    { name: "node", works: true, detail: `${process.version} on ${process.platform}-${process.arch}` },
    { name: "memory", works: true, detail: `${gibibytes(totalmem())} GiB` },
    await disk(),
    ...found,
    await attempt("engine auto", async () => {
      const { device, why } = await openDevice("auto");
      await device[Symbol.asyncDispose]();
      return `takes ${device.name}, because ${why}`;
    }),
    await attempt("lm_eval", lmEvalVersion),
    await attempt("hub cache", hubCache),
    await attempt("hub token", hubToken),
  ];
}

async function attempt(name: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { name, works: true, detail: await look() };
  } catch (error) {
    return { name, works: false, detail: (error as Error).message };
  }
}

async function deviceName(name: keyof typeof engines): Promise<string> {
  await using device = await engines[name]();
  return device.name;
}

async function disk(): Promise<Finding> {
  const { bavail, bsize } = await statfs(process.cwd());
  return { name: "disk", works: true, detail: `${gibibytes(bavail * bsize)} GiB free at ${process.cwd()}` };
}

async function lmEvalVersion(): Promise<string> {
  const { command, version } = await findLmEval();
  return `version ${version} (${command.join(" ")})`;
}

async function hubCache(): Promise<string> {
  const { cache, endpoint, offline } = await openHub();
  return `${cache}, ${offline ? "offline" : `filled from ${endpoint}`}`;
}

/** Where the token is; never the token. */
async function hubToken(): Promise<string> {
  const { token, tokenSource } = await openHub();
  if (token === undefined) throw new Error("none; public models need none");
  return `in ${tokenSource}`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
