/** Changes of sound files by a seeded chance, for tests that whatever comes of them is refused or sound. */
import { env } from "node:process";
import { expect } from "vitest";
import { UserError } from "../src/errors.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { cpuMs } from "./cpu-time.ts";

/** Another one makes other mutations. */
export const MUTATION_SEED: number = Number(env["EVOMERGE_MUTATIONS_SEED"] ?? 1);

/** How many mutations a suite meets unless `EVOMERGE_MUTATIONS` says another count. */
export const mutationCount = (count: number): number => Number(env["EVOMERGE_MUTATIONS"] ?? count);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** JSON texts that hardly any file holds where they are put. */
const wild: readonly string[] = [
  "null true 0 -0 -1 1.5 2 7 1e308 -1e308 5e-324 9007199254740993 4294967301 1e12 1e400 [] {} [[]] [null]".split(" "),
  ['""', '"x"', '"7"', '"NaN"', '"__proto__"', '"constructor"', '"\\u2028\\u0000\\ud800"'],
  [JSON.stringify("a".repeat(100_000)), '{"length":2}', '{"__proto__":{"type":"x"}}', '{"toString":1,"toJSON":1}'],
  [`${"[".repeat(500)}${"]".repeat(500)}`, `[${"0,".repeat(9999)}0]`],
].flat();

/** A mark that is replaced with a wild text once the rest is JSON. */
const MARK = "wild value goes here";

/** The text of a value with one to three things in it changed; `own` are further wild texts. */
export function mutatedJson(value: unknown, random: RandomStream, own: readonly string[] = []): string {
  const texts = [...wild, ...own];
  const changed = structuredClone(value) as Json;
  for (let i = 0; i <= random.integer(3); i++) change(changed, random);
  return JSON.stringify(changed).replaceAll(JSON.stringify(MARK), () => texts[random.integer(texts.length)]!);
}

/** Bytes with some of them changed, removed, doubled or cut off. */
export function mutatedBytes(bytes: Uint8Array, random: RandomStream): Uint8Array {
  const at = random.integer(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random.integer(40));
  switch (random.integer(4)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    default: {
      const copy = Uint8Array.from(bytes);
      for (let i = 0; i <= random.integer(4); i++) copy[random.integer(copy.length)] = random.integer(256);
      return copy;
    }
  }
}

/** What became of mutated inputs. */
export interface Tally {
  refused: number;
  sound: number;
  /** Of this process alone. */
  slowestMs: number;
}

/**
 * Gives every mutation a random stream of its own and meets it: `meet` throws a UserError of one line, or checks what it
 * made of the input. Any other error is thrown with the seed and the number that lead to it again.
 */
export async function meetMutations(
  name: string,
  count: number,
  meet: (random: RandomStream) => void | Promise<void>,
): Promise<Tally> {
  const tally = { refused: 0, sound: 0, slowestMs: 0 };
  for (let number = 0; number < count; number++) {
    const began = cpuMs();
    try {
      await meet(RandomStream.of(MUTATION_SEED, name, number));
      tally.sound++;
    } catch (error) {
      const isSentence = error instanceof UserError && /^[^\n]*$/.test(error.message) && error.message.length < 2000;
      if (!isSentence) throw new Error(`seed ${MUTATION_SEED}, ${name} ${number}`, { cause: error });
      tally.refused++;
    }
    tally.slowestMs = Math.max(tally.slowestMs, cpuMs() - began);
  }
  if (env["EVOMERGE_MUTATIONS"]) process.stdout.write(`${name}: ${JSON.stringify(tally)}\n`);
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
  return tally;
}

/** Changes one thing, which is found by a walk from the root, so that a large part is met no oftener than a small one. */
function change(root: Json, random: RandomStream): void {
  let [holder, key] = [root, ""];
  for (let inner: Json = root; typeof inner === "object" && inner !== null;) {
    const keys = Object.keys(inner);
    if (keys.length === 0 || (inner !== root && random.integer(4) === 0)) break;
    [holder, key] = [inner, keys[random.integer(keys.length)]!];
    inner = (inner as { [key: string]: Json })[key]!;
  }
  if (key === "") return;
  const object = holder as { [key: string]: Json };
  const keys = Object.keys(object);
  const old = object[key]!;
  switch (random.integer(7)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete object[key];
      break;
    case 1:
      if (Array.isArray(holder)) holder.push(structuredClone(old));
      else
        Object.defineProperty(object, `${["", "x", "__proto__", "constructor"][random.integer(4)]}`, {
          value: old,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      break;
    case 2:
      object[key] = structuredClone(object[keys[random.integer(keys.length)]!]!);
      break;
    case 3:
      if (typeof old === "number") object[key] = old * [-1, 2, 0.5, 1e9, 1 + 2 ** -52][random.integer(5)]!;
      break;
    default:
      object[key] = MARK;
  }
}
