import type { Device } from "../device/device.ts";
import type { Model } from "../model/architecture.ts";
import type { SourceBatch, TargetSlice, TokenBatch } from "../model/token-batch.ts";
import { wholeVectors } from "./batch-layout.ts";
import type { PackedSource } from "./pack-source.ts";
import { paddedTokens } from "./batch-sizes.ts";
import type { PackedBatch, Target } from "./pack.ts";
import { Uploads } from "./uploads.ts";

/** About how many logits one step of the output head may hold; more targets are scored in several steps. */
const MAX_LOGITS = 2 ** 26;

/** Targets of one step: a CUDA grid has at most 65,535 blocks in its later dimensions. */
const MAX_TARGETS = 2 ** 15;

/** What is asked of each target beside its log-probability. */
export type Asked = Pick<TargetSlice, "wantsMostLikely">;

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
  readonly #uploads: Uploads;

  private constructor({ batches, targets }: Pick<DeviceBatches, "batches" | "targets">, uploads: Uploads) {
    this.#uploads = uploads;
    this.batches = batches;
    this.targets = targets;
  }

  static async upload(
    device: Device,
    model: Model,
    packed: readonly PackedBatch[],
    asked: Asked = {},
  ): Promise<DeviceBatches> {
    const uploads = new Uploads(device);
    try {
      const constants = await uploads.putEach(model.constants, (values) => [values, [values.length]]);
      const targets = packed.map((batch) => [...slices(batch.targets, model.vocabularySize)]);
      const batches: TokenBatch[] = [];
      for (const [i, batch] of packed.entries())
        batches.push(await putBatch(batch, targets[i]!, { constants, asked }, uploads));
      return new DeviceBatches({ batches, targets }, uploads);
    } catch (error) {
      uploads.free();
      throw error;
    }
  }

  /** At most `count` runs of neighbouring batches with about as many tokens each. */
  divide(count: number): BatchShare[] {
    const tokens = this.batches.map(paddedTokens);
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
    this.#uploads.free();
  }
}

async function putBatch(
  batch: PackedBatch,
  targets: readonly (readonly Target[])[],
  { constants, asked }: Pick<TokenBatch, "constants"> & { readonly asked: Asked },
  uploads: Uploads,
): Promise<TokenBatch> {
  const { sequences, length } = batch;
  const read = [...new Set(batch.targets.map(({ row }) => row))];
  const places = new Map(read.map((row, place) => [row, place]));
  const reads = Int32Array.from(padded(read));
  const slices: TargetSlice[] = [];
  for (const slice of targets) slices.push({ ...asked, ...(await putTargets(slice, places, uploads)) });
  return {
    sequences,
    length,
    tokens: await uploads.put(batch.tokens, [sequences * length]),
    positions: await uploads.putEach(batch.positions, (positions) => [positions, [sequences * length]]),
    masks: await uploads.putEach(batch.masks, (mask) => [mask, [sequences, length, length]]),
    ...(batch.source && { source: await putSource(batch.source, batch, uploads) }),
    constants,
    reads: await uploads.put(reads, [reads.length]),
    targets: slices,
  };
}

async function putSource(
  source: PackedSource,
  { sequences, length: own }: Pick<PackedBatch, "sequences" | "length">,
  uploads: Uploads,
): Promise<SourceBatch> {
  const { length } = source;
  return {
    length,
    read: {
      tokens: await uploads.put(source.tokens, [sequences * length]),
      mask: await uploads.put(source.mask, [sequences, length, length]),
      distances: await uploads.put(source.distances, [length * length]),
    },
    seen: await uploads.put(source.seen, [sequences, own, length]),
    targetDistances: await uploads.put(source.targetDistances, [sequences * own * own]),
  };
}

async function putTargets(
  targets: readonly Target[],
  places: ReadonlyMap<number, number>,
  uploads: Uploads,
): Promise<TargetSlice> {
  const all = padded(targets);
  const rows = Int32Array.from(all, ({ row }) => places.get(row) ?? 0);
  const tokens = Int32Array.from(all, ({ token }) => token);
  return { rows: await uploads.put(rows, [all.length]), tokens: await uploads.put(tokens, [all.length]) };
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
