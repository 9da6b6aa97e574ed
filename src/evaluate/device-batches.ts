import type { Device, DeviceTensor } from "../device/device.ts";
import { input, type Expression } from "../device/expression.ts";
import type { Model, TokenBatch } from "../model/architecture.ts";
import type { Shape } from "../tensor/dtype.ts";
import type { PackedBatch, Target } from "./pack.ts";

/** Logits that one step of the output head may hold, in elements; more targets are scored in several steps. */
const MAX_LOGITS = 2 ** 26;

/** Targets of one step: a CUDA grid has at most 65,535 blocks in its later dimensions. */
const MAX_TARGETS = 2 ** 15;

/** Targets whose logits are computed together. */
export interface TargetSlice {
  /** Index of the batch whose hidden states predict them. */
  readonly batch: number;
  readonly targets: readonly Target[];
  /** i32 [targets]: rows of the batch's last hidden states, which are those of its `reads` */
  readonly rows: Expression;
  /** i32 [targets] */
  readonly tokens: Expression;
}

/** A run of batches, from `start` to before `end`. */
export interface BatchShare {
  readonly start: number;
  readonly end: number;
  readonly isFirst: boolean;
}

/** The token batches of one pass on the device, shared by all candidates. */
export class DeviceBatches {
  readonly tokens: readonly TokenBatch[];
  /** i32 [n] of each batch: the rows of its hidden states that predict a target, each once. */
  readonly reads: readonly Expression[];
  readonly targets: readonly TargetSlice[];
  readonly periods: Expression;
  readonly #device: Device;
  readonly #tensors: readonly DeviceTensor[];

  private constructor(
    device: Device,
    parts: Pick<DeviceBatches, "tokens" | "reads" | "targets" | "periods">,
    tensors: readonly DeviceTensor[],
  ) {
    this.#device = device;
    this.#tensors = tensors;
    this.tokens = parts.tokens;
    this.reads = parts.reads;
    this.targets = parts.targets;
    this.periods = parts.periods;
  }

  static async upload(device: Device, model: Model, batches: readonly PackedBatch[]): Promise<DeviceBatches> {
    const tensors: DeviceTensor[] = [];
    const put = async (values: Int32Array | Float32Array, shape: Shape): Promise<Expression> => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const tensor = await device.upload(bytes, values instanceof Int32Array ? "i32" : "f32", shape);
      tensors.push(tensor);
      return input(tensor);
    };
    try {
      const tokens: TokenBatch[] = [];
      const reads: Expression[] = [];
      const targets: TargetSlice[] = [];
      for (const [index, batch] of batches.entries()) {
        tokens.push(await putTokens(batch, put));
        const read = readRows(batch);
        reads.push(await put(Int32Array.from(read), [read.length]));
        const places = new Map(read.map((row, place) => [row, place]));
        for (const slice of slices(batch.targets, model.vocabularySize)) {
          targets.push(await putTargets(index, slice, places, put));
        }
      }
      const periods = await put(model.periods, [model.periods.length]);
      return new DeviceBatches(device, { tokens, reads, targets, periods }, tensors);
    } catch (error) {
      device.free(...tensors);
      throw error;
    }
  }

  /** At most `count` runs of neighbouring batches with about as many tokens each. */
  divide(count: number): BatchShare[] {
    const tokens = this.tokens.map(({ sequences, length }) => sequences * length);
    const total = tokens.reduce((sum, own) => sum + own, 0);
    const shares: BatchShare[] = [];
    let start = 0;
    let done = 0;
    tokens.forEach((own, i) => {
      done += own;
      const isLast = i === tokens.length - 1;
      if (!isLast && done < (total * (shares.length + 1)) / count) return;
      shares.push({ start, end: i + 1, isFirst: start === 0 });
      start = i + 1;
    });
    return shares;
  }

  free(): void {
    this.#device.free(...this.#tensors);
  }
}

type Put = (values: Int32Array | Float32Array, shape: Shape) => Promise<Expression>;

async function putTokens({ sequences, length, ...batch }: PackedBatch, put: Put): Promise<TokenBatch> {
  return {
    sequences,
    length,
    tokens: await put(batch.tokens, [sequences * length]),
    positions: await put(batch.positions, [sequences * length]),
    mask: await put(batch.mask, [sequences, length, length]),
  };
}

/**
 * The rows of a batch's hidden states that somebody reads, each once. A single one is accompanied by another: ggml
 * multiplies one row by another kernel than several, whose sums round otherwise.
 */
function readRows({ targets }: PackedBatch): number[] {
  const rows = [...new Set(targets.map(({ row }) => row))];
  const [only = 0] = rows;
  return rows.length === 1 ? [only, only === 0 ? 1 : 0] : rows;
}

async function putTargets(
  batch: number,
  targets: readonly Target[],
  places: ReadonlyMap<number, number>,
  put: Put,
): Promise<TargetSlice> {
  const shape = [targets.length];
  const rows = Int32Array.from(targets, ({ row }) => places.get(row) ?? 0);
  const tokens = Int32Array.from(targets, ({ token }) => token);
  return { batch, targets, rows: await put(rows, shape), tokens: await put(tokens, shape) };
}

function* slices(targets: readonly Target[], vocabularySize: number): Generator<readonly Target[]> {
  const length = Math.min(MAX_TARGETS, Math.max(1, Math.floor(MAX_LOGITS / vocabularySize)));
  for (let start = 0; start < targets.length; start += length) yield targets.slice(start, start + length);
}
