/** Programs in Python that do what evomerge does, in processes of their own, and work when they are asked. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mean } from "simple-statistics";
import type { PackedBatch, Prompt } from "../src/evaluate/pack.ts";
import type { Timing } from "./interleave.ts";

export interface Peer {
  readonly name: string;
  /** Whether it merges what it scores. */
  readonly merges?: boolean;
  /** Works once, on what it is sent, and says how long that took. */
  readonly work: (input?: string) => Promise<Timing>;
  readonly stop: () => void;
}

/** Starts a script of this folder, which prints a line of JSON when it is ready and one for each line that it reads. */
export async function startPeer(python: string, script: string, options: readonly string[]): Promise<Peer> {
  const child = spawn(python, [join(import.meta.dirname, script), ...options], { stdio: ["pipe", "pipe", "inherit"] });
  const gone = once(child, "exit").then(() => {
    throw new Error(`${script} has ended`);
  });
  gone.catch(() => {});
  const lines = createInterface(child.stdout);
  const receive = async (): Promise<unknown> =>
    JSON.parse(String((await Promise.race([once(lines, "line"), gone]))[0]));
  const { name } = (await receive()) as { name: string };
  return {
    name,
    work: async (input = "") => {
      child.stdin.write(`${input}\n`);
      return (await receive()) as Timing;
    },
    stop: () => child.stdin.end(),
  };
}

/** So many of one that work at the same time; a piece of work took each of them what it took on average. */
export async function severalAtOnce(count: number, start: (index: number) => Promise<Peer>): Promise<Peer> {
  const all: Peer[] = [];
  for (let i = 0; i < count; i++) all.push(await start(i));
  return {
    ...all[0]!,
    work: async (input) => {
      const timings = await Promise.all(all.map((peer) => peer.work(input)));
      return { wall: mean(timings.map(({ wall }) => wall)), cpu: mean(timings.map(({ cpu }) => cpu)) };
    },
    stop: () => {
      for (const peer of all) peer.stop();
    },
  };
}

/** As torch-scoring.py reads a batch. */
export function plainBatch({ sequences, length, tokens, positions, masks, targets }: PackedBatch): unknown {
  return {
    sequences,
    length,
    tokens: base64(tokens),
    positions: base64(Object.values(positions)[0]!),
    mask: base64(Object.values(masks)[0]!),
    rows: base64(Int32Array.from(targets, ({ row }) => row)),
    targets: base64(Int32Array.from(targets, ({ token }) => token)),
  };
}

/** As lm-eval-scoring.py reads rows: each choice behind its whole context. */
export function requestsOf(prompts: readonly Prompt[]): unknown {
  return prompts.flatMap(({ context, continuations }) =>
    continuations.map((continuation) => [[...context], [...continuation]]),
  );
}

function base64({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
