import type { Device } from "../device/device.ts";
import { openForPrecision } from "../device/exact-f32.ts";
import { openDevice } from "../device/open-device.ts";
import type { EngineName } from "../device/engine-names.ts";
import type { Precision } from "./experiment.ts";

/** A device, and why it is this one, in one clause. */
export interface OpenedEngine {
  readonly device: Device;
  readonly why: string;
}

/** Opens an engine and tells what better one does not work here; what `onNotice` throws closes it. */
export async function openEngine(
  { engine, precision }: { readonly engine: EngineName; readonly precision: Precision },
  onNotice: (text: string) => void = () => {},
): Promise<OpenedEngine> {
  const { device, why, notices } = await openForPrecision(precision === "mixed" ? "f32" : precision, () =>
    openDevice(engine),
  );
  try {
    for (const text of notices) onNotice(text);
  } catch (error) {
    await device[Symbol.asyncDispose]();
    throw error;
  }
  return { device, why };
}
