/** One merge of models of `merge-files.py`, in a process of its own: prints seconds, CPU-seconds and peak memory as JSON. */
import { join } from "node:path";
import { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import { declarations, type MethodName } from "../src/merge/declarations.ts";
import { mergeFiles } from "../src/merge-files/merge-files.ts";

const [folder = "", target = "", method = "linear"] = process.argv.slice(2);
const names = ["base", "a", "b"] as const;
const checkpoints = new Map<string, Checkpoint>();
for (const [i, name] of names.entries()) checkpoints.set(name, await Checkpoint.open(join(folder, `model-${i}`)));
const declaration = declarations[method as MethodName];
const experts = declaration.needsBase ? ["a", "b"].slice(0, declaration.experts?.most) : [...names];
const values = Object.fromEntries(
  declaration.parameters.map(({ name, start }) => [
    name,
    experts.map(() => (start === "uniform" ? 1 / experts.length : start)),
  ]),
);
const plan = Array.from(checkpoints.get("base")!.tensors.values(), ({ name, dtype, shape }) => ({
  spec: { name, dtype, shape },
  ...(declaration.needsBase && { base: { model: "base", tensor: name } }),
  experts: experts.map((model) => ({ model, tensor: name })),
  step: { method: method as MethodName, values },
}));
const started = performance.now();
await mergeFiles(plan, checkpoints, target);
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    seconds: (performance.now() - started) / 1e3,
    cpuSeconds: (user + system) / 1e6,
    peakMB: process.resourceUsage().maxRSS / 1e3,
  }),
);
