import type { Device, DeviceTensor } from "../device/device.ts";
import { input, type Expression } from "../device/expression.ts";
import type { Model, TargetSlice, TokenBatch } from "../model/architecture.ts";
import type { Shape } from "../tensor/dtype.ts";
import { wholeVectors } from "./batch-layout.ts";
import type { PackedBatch, Target } from "./pack.ts";

/** About how many logits one step of the output head may hold; more targets are scored in several steps. */
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
  /** Of each batch, the targets of each of its slices, without those that pad it. */
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
  const read = [...new Set(batch.targets.map(({ row }) => row))];
  const places = new Map(read.map((row, place) => [row, place]));
  const reads = Int32Array.from(padded(read));
  const slices: TargetSlice[] = [];
  for (const slice of targets) slices.push(await putTargets(slice, places, put));
  return {
    sequences,
    length,
    tokens: await put(batch.tokens, [sequences * length]),
    positions: await putEach(batch.positions, (positions) => put(positions, [sequences * length])),
    masks: await putEach(batch.masks, (mask) => put(mask, [sequences, length, length])),
    constants,
    reads: await put(reads, [reads.length]),
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

async function putTargets(
  targets: readonly Target[],
  places: ReadonlyMap<number, number>,
  put: Put,
): Promise<TargetSlice> {
  const all = padded(targets);
  const rows = Int32Array.from(all, ({ row }) => places.get(row) ?? 0);
  const tokens = Int32Array.from(all, ({ token }) => token);
  return { rows: await put(rows, [all.length]), tokens: await put(tokens, [all.length]) };
}

/**
 * With the last one again until there are whole vectors: derivatives by weights sum over them. Nor is one row alone then, which
 * ggml multiplies by another kernel than several, whose sums round otherwise.
 */
function padded<T>(values: readonly T[]): T[] {
  return Array.from({ length: wholeVectors(values.length) }, (_, i) => values[Math.min(i, values.length - 1)]!);
}

function* slices(targets: readonly Target[], vocabularySize: number): Generator<readonly Target[]> {
  const length = wholeVectors(Math.min(MAX_TARGETS, Math.floor(MAX_LOGITS / vocabularySize) || 1));
  for (let start = 0; start < targets.length; start += length) yield targets.slice(start, start + length);
}
