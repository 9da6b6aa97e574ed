import pLimit, { type LimitFunction } from "p-limit";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { StoredTensor } from "../checkpoint/safetensors-header.ts";
import type { OpenShard } from "../checkpoint/write-checkpoint.ts";
import type { ParentFacts } from "../merge/facts.ts";
import { sumOfCopy } from "../tensor/wasm/byte-sum.ts";
import { writeTo } from "./file-bytes.ts";
import { wholeTensorBytes } from "./whole-tensors.ts";
import { parentsOf, type PlannedWeight, type TensorSource } from "./plan.ts";
import { BytesRoom } from "./bytes-room.ts";
import type { ParentTensor } from "./task.ts";
import type { Hand } from "./hand.ts";
import type { Hands } from "./threads.ts";
import { weightParts, type WeightPart } from "./weight-parts.ts";

/** What is merged, and who is told of it. */
interface Order {
  readonly plan: readonly PlannedWeight[];
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** What whole tensors may take of the memory, unless one merge alone needs more. */
  readonly roomBytes: number;
  /** What one thread merges at once of a weight. */
  readonly partElements: number;
  readonly signal: AbortSignal | undefined;
  /** By how many bytes are done. */
  readonly told: (doneBytes: number) => void;
}

/** Tasks that a thread has before it: the one at hand, and the next. */
const TASKS = 2;
/** Bytes that are merged and not yet hashed, behind which no other merge begins: what is hashed last, by one thread, is little to wait for. */
const AHEAD_BYTES = 2 ** 26;
/** Bytes behind which the disk is asked to take what was written, so that little is left to wait for at the end. */
const SYNC_BYTES = 2 ** 26;

/** One merge under way: weights go to the threads that merge, and files that have them to those that hash them. */
export class MergeUnderWay {
  readonly #hands: Hands;
  readonly #order: Order;
  readonly #weights: ReadonlyMap<string, PlannedWeight>;
  readonly #turn: LimitFunction;
  readonly #memory: BytesRoom;
  readonly #ahead = new BytesRoom(AHEAD_BYTES);
  #done = 0;

  constructor(hands: Hands, order: Order) {
    this.#hands = hands;
    this.#order = order;
    this.#weights = new Map(order.plan.map((weight) => [weight.spec.name, weight]));
    this.#turn = pLimit({ concurrency: hands.merging.length * TASKS, rejectOnClear: true });
    this.#memory = new BytesRoom(order.roomBytes);
  }

  /** Writes and closes all files; the sha256 of each. */
  async fill(shards: readonly OpenShard[]): Promise<readonly string[]> {
    const { hashing } = this.#hands;
    const filling = shards.map((shard, i) => this.#fill(shard, known(hashing[i % hashing.length], "a thread")));
    try {
      return await Promise.all(filling);
    } catch (error) {
      this.#turn.clearQueue();
      this.#ahead.clear(error);
      // Nobody may write to a file, or read one, that is closed meanwhile.
      await this.#hands[Symbol.asyncDispose]();
      const ends = await Promise.allSettled(filling);
      this.#order.signal?.throwIfAborted();
      const at = ends.findIndex((end) => end.status === "rejected" && end.reason === error);
      return known(shards[at], "a file").target.writing(() => Promise.reject(error));
    }
  }

  /** All weights of a file are merged at once; it is hashed in order behind them. */
  async #fill(shard: OpenShard, hasher: Hand): Promise<string> {
    const { target, header, tensors } = shard;
    const place = { path: target.path, descriptor: target.descriptor };
    const parts = tensors.flatMap((tensor) => this.#partsOf(tensor, shard));
    const merged = parts.map((part) => this.#turn(() => this.#merge(part)));
    // What fails is reported where it is awaited.
    for (const one of merged) void one.catch(() => {});
    const beginning = { ...place, start: 0 };
    writeTo(beginning, 0, header);
    let { sha256 } = await hasher.do({ kind: "hash", place: beginning, bytes: header.length, sum: sumOfCopy(header) });
    let unsynced = 0;
    const syncs: Promise<void>[] = [];
    for (const [i, { start, bytes }] of parts.entries()) {
      const sum = known(await merged[i], "what was written");
      ({ sha256 } = await hasher.do({ kind: "hash", place: { ...place, start }, bytes, sum }));
      this.#ahead.leave(bytes);
      unsynced += bytes;
      if (unsynced >= SYNC_BYTES) {
        unsynced = 0;
        const sync = target.sync();
        void sync.catch(() => {});
        syncs.push(sync);
      }
    }
    await Promise.all(syncs);
    await target.close();
    return known(sha256, "a file's content");
  }

  #partsOf(tensor: StoredTensor, { target: { path, descriptor } }: OpenShard): readonly WeightPart[] {
    const weight = known(this.#weights.get(tensor.name), tensor.name);
    const held = wholeTensorBytes(weight, this.#order.checkpoints);
    const learn = async (parents: readonly ParentTensor[]): Promise<ParentFacts | undefined> =>
      (await this.#hand().do({ kind: "learn", weight, parents })).facts;
    return weightParts(weight, tensor, { path, descriptor }, { held, most: this.#order.partElements, learn });
  }

  /** The sum of what was written. */
  async #merge(part: WeightPart): Promise<number> {
    await this.#ahead.enter(0);
    const sum = await this.#memory.during(part.held, () => this.#mergeNow(part));
    this.#ahead.take(part.bytes);
    return sum;
  }

  async #mergeNow({ weight, part, factsOf, target, bytes }: WeightPart): Promise<number> {
    const { checkpoints, told } = this.#order;
    const parents: ParentTensor[] = [];
    for (const source of parentsOf(weight)) parents.push(await parentAt(checkpoints, source));
    const facts = await factsOf(parents);
    const { sum } = await this.#hand().do({ kind: "merge", weight, parents, facts, part, target });
    this.#done += bytes;
    told(this.#done);
    return known(sum, weight.spec.name);
  }

  /** The one with the least to do. */
  #hand(): Hand {
    const [hand] = this.#hands.merging.toSorted((a, b) => a.pending - b.pending);
    return known(hand, "a thread");
  }
}

/** A parent's tensor at its place in a file, or its bytes where it is made when it is read. */
async function parentAt(
  checkpoints: ReadonlyMap<string, Checkpoint>,
  { model, tensor }: TensorSource,
): Promise<ParentTensor> {
  const checkpoint = known(checkpoints.get(model), model);
  const { dtype, shape } = known(checkpoint.tensors.get(tensor), `${tensor} of ${model}`);
  const stored = checkpoint.placeOf(tensor) ?? shared(await checkpoint.read(tensor));
  return { folder: checkpoint.folder, name: tensor, dtype, shape, stored };
}

/** The same bytes in memory that threads share. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function known<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`merge: nothing is known of ${name}`);
  return value;
}
