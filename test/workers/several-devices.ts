import type { Device } from "../../src/device/device.ts";
import { openEngine, type OpenedEngine } from "../../src/experiment/open-engine.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";

/**
 * An engine as on a machine that has so many devices like it; on a CPU each of them is all of it. This process computes nothing
 * before what it waits for.
 */
export async function severalDevices(
  experiment: Experiment,
  alike: number,
  waitFor: () => Promise<unknown> = async () => {},
): Promise<OpenedEngine> {
  const { device, why } = await openEngine(experiment);
  const run: Device["run"] = device.run.bind(device);
  const waitAndRun: Device["run"] = async (outputs) => {
    await waitFor();
    return run(outputs);
  };
  Object.defineProperties(device, { alike: { value: alike }, run: { value: waitAndRun } });
  return { device, why };
}
