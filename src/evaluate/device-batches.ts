import type { Device, DeviceTensor } from "../device/device.ts";
import { input, type Expression } from "../device/expression.ts";
import type { Model, TargetSlice, TokenBatch } from "../model/architecture.ts";
import type { Shape } from "../tensor/dtype.ts";
import type { PackedBatch, Target } from "./pack.ts";

/** Logits that one step of the output head may hold, in elements; more targets are scored in several steps. */
const MAX_LOGITS = 2 ** 26;

/** Targets of one step: a CUDA grid has at most 65,535 blocks in its later dimensions. */
const MAX_TARGETS = 2 ** 15;

/** A run of batches, from `start` to before `end`. */
export interface BatchShare {
  readonly start: number;
  readonly end: number;
  readonly isFirst: boolean;
}

/** The token batches of one pass on the device, shared by all candidates. */
export class DeviceBatches {
  readonly batches: readonly TokenBatch[];
  /** Of each batch, the targets of each of its slices. */
  readonly targets: readonly (readonly (readonly Target[])[])[];
  readonly #device: Device;
  readonly #tensors: readonly DeviceTensor[];

  private constructor(
    device: Device,
    parts: Pick<DeviceBatches, "batches" | "targets">,
    tensors: readonly DeviceTensor[],
  ) {
    this.#device = device;
    this.#tensors = tensors;
    this.batches = parts.batches;
    this.targets = parts.targets;
  }

  static async upload(device: Device, model: Model, packed: readonly PackedBatch[]): Promise<DeviceBatches> {
    const tensors: DeviceTensor[] = [];
    const put = async (values: Int32Array | Float32Array, shape: Shape): Promise<Expression> => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const tensor = await device.upload(bytes, values instanceof Int32Array ? "i32" : "f32", shape);
      tensors.push(tensor);
      return input(tensor);
    };
    try {
      const constants = await putEach(model.constants, (values) => put(values, [values.length]));
      const targets = packed.map((batch) => [...slices(batch.targets, model.vocabularySize)]);
      const batches: TokenBatch[] = [];
      for (const [i, batch] of packed.entries()) batches.push(await putBatch(batch, targets[i]!, constants, put));
      return new DeviceBatches(device, { batches, targets }, tensors);
    } catch (error) {
      device.free(...tensors);
      throw error;
    }
  }

  /** At most `count` runs of neighbouring batches with about as many tokens each. */
  divide(count: number): BatchShare[] {
    const tokens = this.batches.map(({ sequences, length }) => sequences * length);
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

async function putBatch(
  batch: PackedBatch,
  targets: readonly (readonly Target[])[],
  constants: TokenBatch["constants"],
  put: Put,
): Promise<TokenBatch> {
  const { sequences, length } = batch;
  const read = readRows(batch);
  const places = new Map(read.map((row, place) => [row, place]));
  const slices: TargetSlice[] = [];
  for (const slice of targets) slices.push(await putTargets(slice, places, put));
  return {
    sequences,
    length,
    tokens: await put(batch.tokens, [sequences * length]),
    positions: await put(batch.positions, [sequences * length]),
    masks: await putEach(batch.masks, (mask) => put(mask, [sequences, length, length])),
    constants,
    reads: await put(Int32Array.from(read), [read.length]),
    targets: slices,
  };
}

async function putEach<T>(
  values: Readonly<Record<string, T>>,
  put: (value: T) => Promise<Expression>,
): Promise<Record<string, Expression>> {
  const uploaded: Record<string, Expression> = {};
  for (const [name, value] of Object.entries(values)) uploaded[name] = await put(value);
  return uploaded;
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
  targets: readonly Target[],
  places: ReadonlyMap<number, number>,
  put: Put,
): Promise<TargetSlice> {
  const shape = [targets.length];
  const rows = Int32Array.from(targets, ({ row }) => places.get(row) ?? 0);
  const tokens = Int32Array.from(targets, ({ token }) => token);
  return { rows: await put(rows, shape), tokens: await put(tokens, shape) };
}

function* slices(targets: readonly Target[], vocabularySize: number): Generator<readonly Target[]> {
  const length = Math.min(MAX_TARGETS, Math.max(1, Math.floor(MAX_LOGITS / vocabularySize)));
  for (let start = 0; start < targets.length; start += length) yield targets.slice(start, start + length);
}
