import { freeHostBytes } from "../device/host-memory.ts";
import type { RehearsalDevice } from "../device/rehearsal/rehearsal-device.ts";
import { roomToStay } from "../evaluate/residency.ts";
import type { Workspace } from "../experiment/workspace.ts";
import type { PlannedMemory } from "./run-plan.ts";

/** What V8 takes for objects of short life as soon as there is work: three times 16 MiB. */
const YOUNG_BYTES = 3 * 2 ** 24;
/** Weights, each of all parents, that are read at once where they are brought to a device. */
const READ_AT_ONCE = 2;

interface MemoryOptions {
  readonly device: RehearsalDevice;
  /** Of the process, with models and rows open, before anything is scored. */
  readonly ownBytes: number;
  /** One for each device. */
  readonly processes: number;
}

/** The most memory that a rehearsed run takes, and what there is. */
export function plannedMemory(
  { checkpoints }: Pick<Workspace, "checkpoints">,
  { device, ownBytes, processes }: MemoryOptions,
): PlannedMemory {
  const { peakBytes, capacityBytes } = device.memory;
  const files = [...checkpoints.values()].map(({ tensors }) => [...tensors.values()]);
  const parentsBytes = files.flat().reduce((sum, tensor) => sum + device.bytesOf(tensor), 0);
  const largest = Math.max(...files.flat().map(({ bytes }) => bytes));
  // On a CPU weights are read to where they stay.
  const onHost = device.kind === "cpu" ? peakBytes : READ_AT_ONCE * files.length * largest;
  return {
    devicePeakBytes: peakBytes,
    deviceFreeBytes: capacityBytes,
    hostPeakBytes: processes * (ownBytes + YOUNG_BYTES + onHost),
    hostFreeBytes: ownBytes + freeHostBytes(),
    parentsStay: roomToStay(device, parentsBytes, 0) >= parentsBytes,
    parentsBytes,
  };
}
