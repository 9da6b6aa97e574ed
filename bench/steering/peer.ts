import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Candidate, Score } from "../../src/search/optimizer.ts";

/** Peers that peers.py knows. */
export type PeerName = "mergekit-evolve" | "optuna-tpe" | "optuna-cma-es" | "optuna-random";

interface Asked {
  readonly points: readonly (readonly number[])[];
  /** The best point that was told, the start at first. */
  readonly best: readonly number[];
}

/** An optimizer of another project, in a Python process of its own, which tells and is told a line of JSON in turn. */
export class Peer implements AsyncDisposable {
  readonly hasMeans = false;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  #best = new Float64Array();

  /** `start` is a point in the unit cube. */
  constructor(name: PeerName, start: Float64Array, seed: number) {
    const program = join(import.meta.dirname, "peers.py");
    const python = process.env["PYTHON"] ?? "python3";
    this.#child = spawn(python, [program, name, `${seed}`], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.#say([...start]);
  }

  async ask(): Promise<readonly Candidate[]> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the peer ended: its packages are cma, optuna and cmaes; PYTHON names an interpreter");
    const { points, best } = JSON.parse(value) as Asked;
    this.#best = Float64Array.from(best);
    return points.map((point) => ({ point: Float64Array.from(point), wantsGradient: false, isReference: false }));
  }

  tell(scores: readonly Score[]): void {
    this.#say(scores.map(({ loss }) => loss));
  }

  best(): Float64Array {
    return this.#best;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }

  #say(numbers: readonly number[]): void {
    this.#child.stdin.write(`${JSON.stringify(numbers)}\n`);
  }
}
