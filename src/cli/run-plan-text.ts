import { teraText } from "../device/speed.ts";
import { describePrecision } from "../experiment/precision.ts";
import { bytesText } from "../files/bytes-text.ts";
import { printableLine } from "../files/printable.ts";
import type { RunPlan } from "../plan/run-plan.ts";
import { preciseDuration } from "../report/duration.ts";
import { wrapped } from "../report/text/wrapped.ts";

/** Columns of the name of a subject. */
const LABEL = 12;

/** A plan for people, in lines of so many columns. */
export function runPlanText(plan: RunPlan, width: number): string {
  const { generation, disk, speed } = plan;
  const [first, ...others] = plan.limits;
  const subjects: readonly (readonly [string, string])[] = [
    ["experiment", `${plan.experiment}, products in ${describePrecision(plan.precision)}`],
    ["engine", plan.devices > 1 ? `${plan.devices} times ${plan.engine}` : plan.engine],
    ["speed", speedText(speed)],
    ["time", timeText(plan)],
    ["generation", generationText(generation)],
    ["spent on", partsText(generation)],
    ["memory", memoryText(plan)],
    ["disk", diskText(disk)],
    ...(first ? [["limit", `${first.limit}. ${first.why} ${first.relief}`] as const] : []),
    ...others.map(({ limit, why, relief }) => ["", `${limit}. ${why} ${relief}`] as const),
  ];
  return subjects
    .flatMap(([name, text]) => wrapped(printableLine(text), width, { label: name.padEnd(LABEL) }))
    .join("\n");
}

function speedText({ flops, memoryBytes, uploadBytes, diskBytes }: RunPlan["speed"]): string {
  const disk = diskBytes === undefined ? "" : `, disk ${bytesText(diskBytes)}/s`;
  const products = `products ${teraText(flops.f32)} TFLOP/s in f32, ${teraText(flops.bf16)} in bf16`;
  return `${products}; memory ${bytesText(memoryBytes)}/s, upload ${bytesText(uploadBytes)}/s${disk}`;
}

function timeText({ expected, evaluations, gradientSteps, generation }: RunPlan): string {
  const { generations, baselinesMs, finishMs } = expected;
  const counted = generation.usesGradients ? `${gradientSteps} gradient steps` : `${evaluations} evaluations`;
  return `${generations} generations, ${counted}; baselines ${preciseDuration(baselinesMs)}, finish ${preciseDuration(finishMs)}`;
}

function generationText({ ms, candidates, rows, tokens, productShare }: RunPlan["generation"]): string {
  const what = `${candidates} candidate${candidates === 1 ? "" : "s"} on ${rows} rows (${tokens} tokens)`;
  return `${preciseDuration(ms)}: ${what}; products at ${Math.round(100 * productShare)} % of the device's rate`;
}

function partsText({ readingMs, mergingMs, forwardMs, backwardMs, usesGradients }: RunPlan["generation"]): string {
  const parts = [
    `reading ${preciseDuration(readingMs)}`,
    `merging ${preciseDuration(mergingMs)}`,
    `forward ${preciseDuration(forwardMs)}`,
    ...(usesGradients ? [`backward ${preciseDuration(backwardMs)}`] : []),
  ];
  return parts.join(", ");
}

function memoryText({
  devices,
  memory: { devicePeakBytes, deviceFreeBytes, hostPeakBytes, hostFreeBytes, ...memory },
}: RunPlan): string {
  const free = deviceFreeBytes === undefined ? "" : ` of ${bytesText(deviceFreeBytes)}`;
  const stay = memory.parentsStay ? "stay there" : "pass through";
  const process = devices === 1 ? "process" : "processes";
  return `device ${bytesText(devicePeakBytes)}${free}, ${process} ${bytesText(hostPeakBytes)} of ${bytesText(hostFreeBytes)}; parents (${bytesText(memory.parentsBytes)}) ${stay}`;
}

function diskText({ runBytes, exportBytes, fetchBytes, freeBytes }: RunPlan["disk"]): string {
  const exported = exportBytes === 0 ? "" : `, export ${bytesText(exportBytes)}`;
  const fetched = fetchBytes === 0 ? "" : `, to fetch ${bytesText(fetchBytes)}`;
  return `run ${bytesText(runBytes)}${exported}${fetched}; ${bytesText(freeBytes)} free`;
}
