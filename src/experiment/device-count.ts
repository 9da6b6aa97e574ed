import { UserError } from "../errors.ts";
import type { Experiment } from "./experiment.ts";
import type { OpenedEngine } from "./open-engine.ts";

/** How many of the devices that an engine finds score, and why this engine, with that in it. */
export interface CountedDevices {
  readonly count: number;
  readonly why: string;
}

/** All of them unless fewer are asked for; a UserError where more are. */
export function countDevices(
  { tasks }: Pick<Experiment, "tasks">,
  { device: { name, alike = 1 }, why }: OpenedEngine,
  asked: number = alike,
): CountedDevices {
  if (asked > alike) {
    throw new UserError(`devices: expected at most ${alike}, as ${name} has here, found ${asked}; ask for fewer`);
  }
  // Other processes are sent losses as data, and have no code of a plugin.
  const task = tasks.find(({ format }) => format);
  const count = task ? 1 : asked;
  if (alike === 1) return { count, why };
  const limit = task && asked > 1 ? `, since the format of ${task.name} is a plugin's` : "";
  const those = count === alike ? `all ${alike}` : `${count} of ${alike}`;
  return { count, why: `${why}; ${those} of its name ${count === 1 ? "scores" : "score"}${limit}` };
}

/** The same; a refusal closes the engine. */
export async function countOrClose(
  experiment: Pick<Experiment, "tasks">,
  engine: OpenedEngine,
  asked: number | undefined,
): Promise<CountedDevices> {
  try {
    return countDevices(experiment, engine, asked);
  } catch (error) {
    await engine.device[Symbol.asyncDispose]();
    throw error;
  }
}
