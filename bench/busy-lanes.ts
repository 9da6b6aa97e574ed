import type { Device } from "../src/device/device.ts";

/** Which share of its lanes' time a device has work, while something goes on. */
export interface BusyLanes {
  readonly during: (work: () => Promise<void>) => Promise<void>;
  /** Of all that went on so far. */
  readonly share: () => number;
}

/** Watches the runs of a device from now on. */
export function busyLanes(device: Device): BusyLanes {
  const run = device.run.bind(device);
  let [wanted, busy, inFlight, since] = [0, 0, 0, 0];
  const turn = (change: number): void => {
    const now = performance.now();
    busy += Math.min(inFlight, device.concurrency) * (now - since);
    [inFlight, since] = [inFlight + change, now];
  };
  return {
    during: async (work) => {
      const began = performance.now();
      device.run = async (outputs) => {
        turn(1);
        return run(outputs).finally(() => turn(-1));
      };
      await work();
      device.run = run;
      wanted += device.concurrency * (performance.now() - began);
    },
    share: () => busy / wanted,
  };
}
