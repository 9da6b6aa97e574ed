import type { DeviceTensor, GraphOptions } from "../src/device/device.ts";
import type { Expression } from "../src/device/expression.ts";
import { openEngine, type OpenedEngine } from "../src/experiment/open-engine.ts";
import { ObservedDevice } from "./evaluate/observed-device.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What a machine takes, in milliseconds. */
export interface Speed {
  /** To begin one graph: one stage of one candidate, merged. */
  readonly runMs: number;
  /** For each number that comes out of a graph. */
  readonly numberMs: number;
}

/** A real device whose graphs take time on a virtual clock, and none to speak of on that of the machine. */
class TimedDevice extends ObservedDevice {
  readonly #clock: VirtualClock;
  readonly #speed: (now: number) => Speed;

  constructor(device: OpenedEngine["device"], clock: VirtualClock, speed: (now: number) => Speed) {
    super(device);
    this.#clock = clock;
    this.#speed = speed;
  }

  override async run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]> {
    const results = await super.run(outputs, options);
    const { runMs, numberMs } = this.#speed(this.#clock.now());
    const numbers = outputs.reduce((sum, output) => sum + computed(output), 0);
    this.#clock.pass(runMs + numberMs * numbers);
    return results;
  }
}

/** What is only joined to something was computed before. */
function computed(output: Expression): number {
  return output.op === "concat" ? computed(output.y) : output.shape.reduce((product, side) => product * side, 1);
}

/** A machine on which time passes by work alone: what `launchRun` takes in place of its own, and its clock. */
export async function simulatedMachine(
  speed: Speed | ((now: number) => Speed),
): Promise<{ readonly engine: OpenedEngine; readonly wall: VirtualClock }> {
  const wall = new VirtualClock();
  const { device } = await openEngine({ engine: "ggml", precision: "f32" });
  const at = typeof speed === "function" ? speed : (): Speed => speed;
  return { engine: { device: new TimedDevice(device, wall, at), why: "it is simulated" }, wall };
}
