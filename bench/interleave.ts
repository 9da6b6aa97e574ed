import { median } from "simple-statistics";

/** Seconds that a piece of work took. */
export interface Timing {
  readonly wall: number;
  /** CPU time of the whole process, all threads: what a machine shared with other work can repeat. */
  readonly cpu: number;
}

/** Times one piece of work. */
export async function timed(work: () => Promise<void>): Promise<Timing> {
  const start = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 };
}

/**
 * Median timings of several pieces of work. Each is done once to warm up; then all are done in turn, again and again, so
 * that whatever else the machine does meets all of them.
 */
export async function interleave<Name extends string>(
  works: Readonly<Record<Name, () => Promise<Timing>>>,
  repetitions: number,
): Promise<Record<Name, Timing>> {
  const names = Object.keys(works) as Name[];
  const timings: { readonly name: Name; readonly timing: Timing }[] = [];
  for (const name of names) await works[name]();
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const name of names) timings.push({ name, timing: await works[name]() });
  }
  const medianOf = (name: Name, clock: keyof Timing): number =>
    median(timings.filter((entry) => entry.name === name).map(({ timing }) => timing[clock]));
  const medians = names.map((name) => [name, { wall: medianOf(name, "wall"), cpu: medianOf(name, "cpu") }]);
  return Object.fromEntries(medians) as Record<Name, Timing>;
}
