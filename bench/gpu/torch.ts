/** What PyTorch and transformers make of the same card, by bench/gpu/peer.py. */
import type { Work } from "../generation.ts";
import { type Ceilings, ofPeak } from "./task.ts";
import type { Timing } from "../interleave.ts";
import { type Peer, startPeer } from "../peers.ts";
import { figure, percent, type Told } from "../told.ts";

/** Padded tokens of a batch that are tried. */
const SCORED = [8192, 16_384, 32_768];
const DIFFERENTIATED = [4096, 8192];

/** Each continuation behind its context, as lm_eval has it, or all of a row behind it, as evomerge has them. */
const LAYOUTS = ["plain", "packed"] as const;

interface Answer extends Timing, Ceilings {
  /** The most that was allocated. */
  readonly bytes: number;
  readonly error?: string;
  readonly mean?: number;
  /** Seconds of the steps of the way by the disk. */
  readonly merge?: number;
  readonly write?: number;
  readonly read?: number;
  readonly score?: number;
}

/** What is known of evomerge's side. */
export interface Compared {
  readonly experts: readonly string[];
  readonly work: Work;
  /** Base and experts read, and a merge written. */
  readonly mergedBytes: number;
  /** All rows by those that rates are taken on, in tokens. */
  readonly rowsScale: number;
  readonly ceilings: Ceilings;
}

/** The fastest way to score the rows. */
type Way = Answer & { readonly layout: string; readonly size: number };

/** PyTorch in a process of its own, which begins to load at once. */
export class Torch {
  readonly #told: Told;
  readonly #peer: Promise<Peer>;

  constructor(told: Told, python: string, options: readonly string[]) {
    this.#told = told;
    this.#peer = startPeer(python, "gpu/peer.py", options);
    // Told by the first part that asks.
    this.#peer.catch(() => {});
  }

  /** Nothing, where it does not run. */
  async ceilings(): Promise<Ceilings> {
    let found: Ceilings = {};
    await this.#told.part("PyTorch", async () => {
      const { name } = await this.#peer;
      found = await this.#ask("ceilings");
      const { product = NaN, copy = NaN, upload = NaN } = found;
      const notes = [name];
      await this.#told.tell({
        name: "PyTorch: a large product in bf16",
        value: product / 1e12,
        unit: "TFLOP/s",
        notes,
      });
      await this.#told.tell({
        name: "PyTorch: copying on the device, read and written",
        value: copy / 1e9,
        unit: "GB/s",
      });
      await this.#told.tell({ name: "PyTorch: upload from ordinary memory", value: upload / 1e9, unit: "GB/s" });
    });
    return found;
  }

  /** All that evomerge does, once it has left the device. */
  async compare(compared: Compared): Promise<void> {
    const told = this.#told;
    await told.part("PyTorch: parents", async () => {
      const { wall, bytes } = await this.#ask("load", "base", ...compared.experts);
      const notes = [`${figure(bytes / 1e9)} GB at most`];
      await told.tell({ name: "PyTorch: parents read and uploaded", value: wall, unit: "s", notes });
    });
    await told.part("PyTorch: merging", () => this.#merge(compared));
    const ways: Way[] = [];
    for (const size of SCORED) {
      for (const layout of LAYOUTS) {
        await told.part(`PyTorch: scoring, ${layout}, batches of ${size}`, async () => {
          ways.push(await this.#score(compared, layout, size));
        });
      }
    }
    const [best] = ways.toSorted((a, b) => a.wall - b.wall);
    const candidate = (name: string, work: string): Promise<void> =>
      told.part(`PyTorch: ${name}`, async () => best && this.#candidate(compared, name, work, best));
    await candidate("merged in memory and scored", "score_merged");
    for (const size of DIFFERENTIATED) {
      for (const layout of LAYOUTS) {
        const name = `PyTorch: merged and differentiated, ${layout}, ${size}`;
        await told.part(name, () => this.#differentiate(compared, name, layout, size));
      }
    }
    await candidate("merged, written, read and scored", "score_from_disk");
  }

  async stop(): Promise<void> {
    (await this.#peer.catch(() => undefined))?.stop();
  }

  async #merge({ mergedBytes, ceilings }: Compared): Promise<void> {
    const took = await this.#ask("merge");
    const rate = mergedBytes / took.wall;
    const notes = ceilings.copy === undefined ? [] : [`${percent(rate / ceilings.copy)} of its copy`];
    await this.#told.tell({ name: "PyTorch: merging", value: rate / 1e9, unit: "GB/s", took, notes });
  }

  async #score({ work, ceilings }: Compared, layout: string, size: number): Promise<Way> {
    const took = await this.#ask("score", layout, size);
    const notes = [
      ...ofPeak(work.flop / took.wall, ceilings),
      `mean log-probability ${took.mean?.toFixed(4)}`,
      `${figure(took.bytes / 1e9)} GB at most`,
    ];
    const name = `PyTorch: the base scored alone, ${layout}, ${size}`;
    await this.#told.tell({ name, value: work.tokens / took.wall, unit: "tokens/s", took, notes });
    return { ...took, layout, size };
  }

  async #differentiate({ work, ceilings }: Compared, name: string, layout: string, size: number): Promise<void> {
    const took = await this.#ask("differentiate", layout, size);
    const notes = [...ofPeak((3 * work.flop) / took.wall, ceilings), `${figure(took.bytes / 1e9)} GB at most`];
    await this.#told.tell({ name, value: work.tokens / took.wall, unit: "tokens/s", took, notes });
  }

  /** A candidate's whole way; on all rows scoring alone takes longer. */
  async #candidate({ work, rowsScale }: Compared, name: string, way: string, best: Way): Promise<void> {
    const took = await this.#ask(way, best.layout, best.size);
    const steps = (["merge", "write", "read", "score"] as const).filter((step) => took[step] !== undefined);
    const all = took.wall + (rowsScale - 1) * (took.score ?? best.wall);
    const notes = [
      `${best.layout}, batches of ${best.size}`,
      ...(took.mean === undefined ? [] : [`mean log-probability ${took.mean.toFixed(4)}`]),
      ...steps.map((step) => `${step} ${figure(took[step]!)} s`),
      `all rows ${figure(all)} s, ${figure(3600 / all)} candidates an hour`,
    ];
    await this.#told.tell({ name: `PyTorch: ${name}`, value: work.tokens / took.wall, unit: "tokens/s", took, notes });
  }

  async #ask(...message: readonly unknown[]): Promise<Answer> {
    const answer = (await (await this.#peer).work(JSON.stringify(message))) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}
