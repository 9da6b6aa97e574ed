import pLimit, { type LimitFunction } from "p-limit";
import { UserError } from "../../errors.ts";
import { KeptGraphs } from "./kept-graphs.ts";
import { LaneThread } from "./lane-thread.ts";
import { setThreads, type Ggml, type Pointer } from "./library.ts";
import { whatGgmlSaid } from "./messages.ts";

/** One stream of computation: a backend, the work space that its graphs reuse, and the thread that computes them. */
export interface Lane {
  readonly backend: Pointer;
  workspace: Pointer;
  readonly thread: LaneThread;
  /** Planned for the work space as it is. */
  readonly graphs: KeptGraphs;
}

/** What lanes are opened on. */
interface LaneDevice {
  /** For people. */
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  readonly device: Pointer;
  readonly bufferType: Pointer;
}

/** The lanes of a device; who computes waits until one is idle. */
export class Lanes {
  readonly #ggml: Ggml;
  readonly #bufferType: Pointer;
  readonly #lanes: Lane[];
  readonly #idle: Lane[];
  readonly #limit: LimitFunction;

  /** One thread each on a CPU: ggml's spinning barriers collapse when cores are shared, independent candidates do not. */
  constructor(ggml: Ggml, count: number, { name, kind, device, bufferType }: LaneDevice) {
    this.#ggml = ggml;
    this.#bufferType = bufferType;
    this.#lanes = Array.from({ length: count }, () => {
      const backend: Pointer = ggml.openBackend(device, null);
      if (!backend) throw new UserError(`${name} does not open${whatGgmlSaid()}`);
      if (kind === "cpu") setThreads(ggml, device, backend, 1);
      return { backend, workspace: ggml.newWorkspace(bufferType), thread: new LaneThread(), graphs: new KeptGraphs() };
    });
    this.#idle = [...this.#lanes];
    this.#limit = pLimit(count);
  }

  /** Bytes of all work spaces. Each is kept between runs for the next. */
  get bytes(): number {
    return this.#bytesOf(this.#lanes);
  }

  /** Bytes of work spaces that something runs on. */
  get busyBytes(): number {
    return this.#bytesOf(this.#lanes.filter((lane) => !this.#idle.includes(lane)));
  }

  /** Does work on an idle lane, one that suits if there is any. */
  use<T>(suits: (lane: Lane) => boolean, work: (lane: Lane) => Promise<T>): Promise<T> {
    return this.#limit(async () => {
      const lane = this.#idle.findLast(suits) ?? this.#roomiest();
      if (!lane) throw new Error("ggml: no idle lane");
      this.#idle.splice(this.#idle.indexOf(lane), 1);
      try {
        return await work(lane);
      } finally {
        this.#idle.push(lane);
      }
    });
  }

  /** Gives back a lane's work space, and what was planned for it. */
  giveBack(lane: Lane): void {
    lane.graphs.clear();
    this.#ggml.freeWorkspace(lane.workspace);
    lane.workspace = this.#ggml.newWorkspace(this.#bufferType);
  }

  async close(): Promise<void> {
    for (const { backend, workspace, thread, graphs } of this.#lanes.splice(0)) {
      await thread.end();
      graphs.clear();
      this.#ggml.freeWorkspace(workspace);
      this.#ggml.closeBackend(backend);
    }
  }

  /** The idle lane with the largest work space: no more lanes are to have a large one than compute large graphs at once. */
  #roomiest(): Lane | undefined {
    return this.#idle.toSorted((one, other) => this.#spaceOf(one) - this.#spaceOf(other)).at(-1);
  }

  #spaceOf({ workspace }: Lane): number {
    return Number(this.#ggml.workspaceSize(workspace, 0));
  }

  #bytesOf(lanes: readonly Lane[]): number {
    return lanes.reduce((sum, lane) => sum + this.#spaceOf(lane) + lane.thread.bytes, 0);
  }
}
