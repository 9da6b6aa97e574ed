import pLimit, { type LimitFunction } from "p-limit";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { Device } from "../device/device.ts";
import { rowBlocks, type RowRange } from "../device/row-blocks.ts";
import type { ParentFacts } from "../merge/facts.ts";
import type { MergeParents } from "../merge/merge-tensor.ts";
import type { Step } from "../merge/recipe.ts";
import type { Shape } from "../tensor/dtype.ts";
import { KnownWeights } from "./known-weights.ts";
import { Leaves } from "./leaves.ts";
import type { Loaded } from "./loaded.ts";
import { type ByParent, ParentReader } from "./parent-reader.ts";
import { Residency, roomAhead, roomForLeaves, roomToStay } from "./residency.ts";
import type { Direction, Route, StageAhead } from "./route.ts";

/** Weights of every parent on the device, by the weight's name, then by the parent's. */
export type ParentTensors = ReadonlyMap<string, ByParent>;

/** A weight that is on the device, or on its way there. */
interface HeldWeight {
  readonly coming: Promise<ByParent>;
  readonly control: AbortController;
  tensors?: ByParent;
  /** Whether it has the rows alone that the pass at hand reads. */
  readonly isPart: boolean;
  /** When nothing of it is under way any more. */
  over: Promise<void>;
}

/** What brings weights to the device. */
export type WeightReader = Pick<
  ParentReader,
  "bytesRead" | "bytesOf" | "bring" | "canBringRows" | "bringRows" | "read" | "settled"
>;

export interface ParentWeightsOptions {
  /** In the place of one that reads the parents' files. */
  readonly reader?: WeightReader | undefined;
  /** Bytes that may stay on the device; what there is room for unless given. */
  readonly stayBytes?: number | undefined;
  /** Bytes that may be read ahead of the next stage. */
  readonly aheadBytes?: number | undefined;
  /** Of a weight that is read as a whole where it may be read in blocks; as many as are multiplied at once unless given. */
  readonly blockElements?: number | undefined;
}

/**
 * The weights of base and experts, stage by stage of a pass's route. As many stages as the device has room for stay there from
 * when they were first used; the others are read for each pass, ahead of the stage at hand, behind the last of a pass those that the
 * next begins with. A weight of several stages, such as a tied embedding, is brought to the device once a pass and stays from
 * the first of them to the last. A pass goes along its route forward, and may then go back from the end.
 */
export class ParentWeights implements AsyncDisposable {
  /** Lets one pass begin after the other: two at once would share, and drop, each other's stages. */
  readonly turn: LimitFunction = pLimit(1);
  readonly #device: Device;
  readonly #reader: WeightReader;
  readonly #options: ParentWeightsOptions;
  /** Of all weights. */
  readonly #wholeBytes: number;
  /** By what a route knows the weight as, which is its name in the checkpoint unless it is a block. */
  readonly #held = new Map<string, HeldWeight>();
  readonly #residency = new Residency();
  /** Asked for by the pass at hand for the one behind it. */
  readonly #forNext = new Set<string>();
  readonly #leaves: Leaves;
  readonly #known: KnownWeights;

  constructor(
    device: Device,
    /** The base, and behind it the experts in their order. */
    parents: ReadonlyMap<string, Checkpoint>,
    options: ParentWeightsOptions = {},
  ) {
    this.#device = device;
    this.#reader = options.reader ?? new ParentReader(device, parents);
    this.#options = options;
    this.#wholeBytes = [...parents.values()]
      .flatMap(({ tensors }) => [...tensors.values()])
      .reduce((sum, tensor) => sum + device.bytesOf(tensor), 0);
    this.#leaves = new Leaves(device, roomForLeaves(device, this.#wholeBytes));
    this.#known = new KnownWeights(this.#leaves, (name) => this.#reader.read(name));
    this.makeRoom(0);
  }

  /** Tensor bytes read from disk so far. */
  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  /** What else a pass is to hold decides how many stages stay; called while no stage is in use. */
  makeRoom(passBytes: number): void {
    const { stayBytes = roomToStay(this.#device, this.#wholeBytes, passBytes) } = this.#options;
    this.#drop(this.#residency.resize(stayBytes));
  }

  /**
   * Drops some of what stays, for good, as the device has run out of memory; whether there was anything. No stage is in use, and when it is
   * over nothing is under way.
   */
  async giveWay(): Promise<boolean> {
    const gone = this.#residency.giveWay();
    const dropped = [...gone, ...this.#forNext];
    const over = dropped.flatMap((name) => this.#held.get(name)?.over ?? []);
    this.#drop(dropped);
    await Promise.all(over);
    return gone.length > 0;
  }

  /**
   * The weights of a route of which a pass that merges no more than the rows of its tokens is to read these alone: where not all parents
   * stay on the device, and what the merges ask of the whole weight is known.
   */
  gatheredOn(route: Route): ReadonlySet<string> {
    // Tokens are numbered anew for all of these weights or for none.
    const areRead = [...route.gathered].every((name) => !this.#held.has(name) && this.#canReadRows(name, route));
    return areRead ? route.gathered : new Set();
  }

  /**
   * The blocks of rows in which a pass that merges and multiplies one after the other may have a large weight: where it does not stay on the
   * device, and what the merges ask of the whole weight is known. One block otherwise.
   */
  blocksOf(name: string, shape: Shape, route: Route): readonly RowRange[] {
    const whole = [{ from: 0, count: shape[0] ?? 1 }];
    if (this.#held.has(name) || !this.#canReadRows(name, route)) return whole;
    return rowBlocks(shape, this.#options.blockElements);
  }

  /** Whether rows of a weight are all that a pass needs of it. */
  #canReadRows(name: string, route: Route): boolean {
    if (this.#residency.hasRoomFor(this.#wholeBytes) || !this.#reader.canBringRows(name)) return false;
    return this.#known.mergesByRow(name, route.stepsOf(name));
  }

  /**
   * Brings a stage of the route to the device and starts reading those behind it in that direction; stages are loaded one after another.
   * `turns` says of a pass forward that the way back follows. Throws a UserError for a weight that is not finite.
   */
  async load(
    route: Route,
    index: number,
    direction: Direction = "forward",
    turns: boolean = false,
  ): Promise<ParentTensors> {
    const names = route.stages[index] ?? [];
    for (const name of names) this.#forNext.delete(name);
    const coming = names.map((name) => this.#ask(route, index, name, route.rowsOf(name)).coming);
    this.#askAhead(route, index, route.behind(index, direction, turns));
    const tensors = await Promise.all(coming);
    for (const name of names) await this.#known.prepare(route.nameOf(name), route.stepsAt(index, name));
    return new Map(names.map((name, i) => [name, tensors[i]!]));
  }

  /** What a merge asks for of a weight that was loaded for it. */
  known(name: string, step: Step): Omit<MergeParents, "models" | "base" | "experts"> {
    return this.#known.of(name, step);
  }

  /** The same of a weight by its name, but for what is on the device: the weight is read for that unless it was. */
  measure(name: string, step: Step): Promise<ParentFacts> {
    return this.#known.measure(name, step);
  }

  /** Drops what no later stage in that direction needs of a stage from the device, unless there is room for it to stay. */
  release(route: Route, index: number, direction: Direction = "forward"): void {
    for (const name of route.endingAt(index, direction)) {
      const isReadAgain = route.gathered.has(name) && this.#canReadRows(name, route);
      if (isReadAgain && !this.#residency.has(name)) this.#drop([name]);
      else this.#leave(name);
    }
  }

  /** Drops what a pass that ended, early or not, has left; when it is over nothing is under way but what the next pass begins with. */
  async releaseAll(): Promise<void> {
    const held = [...this.#held].filter(([name]) => !this.#forNext.has(name));
    for (const [name, { tensors }] of held) {
      if (tensors) this.#leave(name);
      else this.#drop([name]);
    }
    await Promise.all(held.map(([, { over }]) => over));
  }

  /** Waits for the reads in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#drop([...this.#held.keys()]);
    await this.#reader.settled();
  }

  /** A weight, or these rows of it, on the device or on its way there. */
  #ask(route: Route, index: number, name: string, rows: Int32Array | undefined): HeldWeight {
    const known = this.#held.get(name);
    if (known) return known;
    const steps = route.stepsAt(index, name);
    const control = new AbortController();
    const look = (own: readonly Loaded[]): Promise<void> => this.#known.look(steps, own);
    const coming = rows
      ? this.#reader.bringRows(route.nameOf(name), rows, control.signal)
      : this.#reader.bring(name, look, control.signal);
    const held: HeldWeight = { coming, control, over: Promise.resolve(), isPart: rows !== undefined };
    this.#held.set(name, held);
    held.over = coming.then(
      (tensors) => {
        if (!control.signal.aborted) held.tensors = tensors;
        else this.#free(name, tensors);
      },
      () => {
        this.#free(name, {});
        // The next pass, for which there was no room beside this one, is to ask for it again.
        if (this.#forNext.has(name) && this.#held.get(name) === held) this.#drop([name]);
      },
    );
    return held;
  }

  /** Asks for the next stage of a pass, and for those behind it as far as there is room, beside what is there for the stage at hand. */
  #askAhead(route: Route, current: number, stages: readonly StageAhead[]): void {
    const { aheadBytes = roomAhead(this.#device) } = this.#options;
    let room = aheadBytes;
    for (const [i, { index, isNextPass }] of stages.entries()) {
      // Which rows the next pass reads is known when it begins; those of this pass are none of its, should it read the whole.
      const isKnown = (name: string): boolean =>
        !isNextPass ||
        !(
          route.isBlock(name) ||
          this.#held.get(name)?.isPart ||
          (route.gathered.has(name) && this.#canReadRows(name, route))
        );
      const names = (route.stages[index] ?? []).filter((name) => !this.#residency.has(name) && isKnown(name));
      const further = isNextPass ? names : names.filter((name) => !route.spans(current, name));
      room -= further.reduce(
        (sum, name) => sum + this.#reader.bytesOf(route.nameOf(name), route.rowsOf(name)?.length),
        0,
      );
      if (room < 0 && (i > 0 || isNextPass)) return;
      for (const name of names) {
        if (isNextPass) this.#forNext.add(name);
        this.#ask(route, index, name, isNextPass ? undefined : route.rowsOf(name));
      }
    }
  }

  /** No stage of this pass needs a weight any more. */
  #leave(name: string): void {
    const isPart = this.#held.get(name)?.isPart;
    if (!isPart && this.#residency.keep(name, this.#reader.bytesOf(name))) this.#leaves.dropPassing([name]);
    else if (!this.#forNext.has(name)) this.#drop([name]);
  }

  #drop(names: readonly string[]): void {
    for (const name of names) {
      const { control, tensors } = this.#held.get(name) ?? {};
      control?.abort();
      // What is on its way is freed when it has arrived.
      if (tensors) this.#free(name, tensors);
      this.#held.delete(name);
      this.#forNext.delete(name);
    }
  }

  #free(name: string, tensors: ByParent): void {
    this.#leaves.drop([name]);
    this.#device.free(...Object.values(tensors));
  }
}
