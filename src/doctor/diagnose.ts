/** What this machine can do for a run: engines, disk, memory, lm_eval, the Hub. */
import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import type { Device } from "../device/device.ts";
import type { EngineName } from "../device/engine-names.ts";
import { openDevice } from "../device/open-device.ts";
import { openHub } from "../hub/api/hub.ts";
import { findLmEval } from "../lm-eval/find-lm-eval.ts";
import { lookAt, type Finding } from "./finding.ts";
import { gpuFindings } from "./gpu-findings.ts";
import { productFinding } from "./product-finding.ts";

/** Looks at everything that a run may need; never throws for what is missing. */
export async function diagnose(): Promise<Finding[]> {
  const found: Finding[] = [];
  const kinds = new Set<Device["kind"]>();
  const open = async (engine: EngineName): Promise<string> => {
    const { device, why } = await openDevice(engine);
    kinds.add(device.kind);
    await device[Symbol.asyncDispose]();
    const { name, alike = 1 } = device;
    return `${engine === "auto" ? `takes ${name}, because ${why}` : name}${alike > 1 ? `, one of ${alike} of its name` : ""}`;
  };
  // One after another, the optional packages first: a process runs one backend of TensorFlow.js only.
  for (const name of ["tfjs-node-gpu", "tfjs-node", "tfjs", "ggml"] as const) {
    found.push(await lookAt(`engine ${name}`, () => open(name)));
  }
  return [
    { name: "node", works: true, detail: `${process.version} on ${process.platform}-${process.arch}` },
    { name: "memory", works: true, detail: `${gibibytes(totalmem())} GiB` },
    await disk(),
    ...found,
    await lookAt("engine auto", () => open("auto")),
    await productFinding(),
    ...(await gpuFindings(kinds.has("gpu"))),
    await lookAt("lm_eval", lmEvalVersion),
    await lookAt("hub cache", hubCache),
    await lookAt("hub token", hubToken),
  ];
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
