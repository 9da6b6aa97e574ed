import type { Device } from "../device/device.ts";
import type { Model } from "../model/architecture.ts";
import type { ReadRows, SourceBatch, TargetSlice, TokenBatch, TokenRows } from "../model/token-batch.ts";
import { wholeVectors } from "./batch-layout.ts";
import type { PackedSource } from "./pack-source.ts";
import type { PackedBatch, Target } from "./pack.ts";
import { placeReads, placesOfTokens, placeTokens, type PlacedReads, type PlacedTokens } from "./place-tokens.ts";
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
    const tokens = this.batches.map(tokensOf);
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
  const { sequences, length, source } = batch;
  const all = sequences * length;
  // Layers of a model with an encoder have a token at each place.
  const placed = placeTokens(source ? [...Array(all).keys()] : placesOfTokens(batch), all);
  const reads = placeReads(batch);
  const readAt = firstAt(Array.from(reads.placeOf, (own) => reads.places[own]!));
  const slices: TargetSlice[] = [];
  for (const slice of targets) slices.push({ ...asked, ...(await putTargets(slice, readAt, uploads)) });
  return {
    ...(await putRows(batch, { ...placed, length }, placed.placeOf, uploads)),
    tokens: await uploads.put(
      placed.placeOf.map((place) => batch.tokens[place]!),
      [placed.placeOf.length],
    ),
    masks: await uploads.putEach(batch.masks, (mask) => [mask, [sequences, length, length]]),
    ...(source && { source: await putSource(source, batch, uploads) }),
    constants,
    reads: await putReads(batch, placed, reads, uploads),
    targets: slices,
  };
}

async function putReads(
  batch: PackedBatch,
  { tokenAt }: PlacedTokens,
  reads: PlacedReads,
  uploads: Uploads,
): Promise<ReadRows> {
  const inBatch = reads.placeOf.map((own) => reads.places[own]!);
  const tokens = inBatch.map((place) => tokenAt?.[place] ?? place);
  return {
    ...(await putRows(batch, reads, inBatch, uploads)),
    tokens: await uploads.put(tokens, [tokens.length]),
    places: await uploads.put(reads.places, [reads.places.length]),
  };
}

/** Tokens at those places of the batch, and at places of their own. */
async function putRows(
  { sequences, positions }: PackedBatch,
  { length, placeOf, tokenAt }: PlacedTokens & { readonly length: number },
  inBatch: Int32Array,
  uploads: Uploads,
): Promise<TokenRows> {
  const placing = tokenAt && {
    tokenAt: await uploads.put(tokenAt, [tokenAt.length]),
    placeOf: await uploads.put(placeOf, [placeOf.length]),
  };
  return {
    sequences,
    length,
    ...(placing && { placing }),
    positions: await uploads.putEach(positions, (own) => [inBatch.map((place) => own[place]!), [inBatch.length]]),
  };
}

/** That layers compute. */
function tokensOf({ tokens, sequences, source }: TokenBatch): number {
  return tokens.shape[0]! + sequences * (source?.length ?? 0);
}

/** Where each value stands first. */
function firstAt(values: readonly number[]): ReadonlyMap<number, number> {
  return new Map(values.map((value, i) => [value, i] as const).toReversed());
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
  readAt: ReadonlyMap<number, number>,
  uploads: Uploads,
): Promise<TargetSlice> {
  const all = padded(targets);
  const rows = Int32Array.from(all, ({ row }) => readAt.get(row) ?? 0);
  const tokens = Int32Array.from(all, ({ token }) => token);
  return { rows: await uploads.put(rows, [all.length]), tokens: await uploads.put(tokens, [all.length]) };
}

/** With the last one again until there are whole vectors, over which derivatives by weights sum. */
function padded(targets: readonly Target[]): Target[] {
  return Array.from({ length: wholeVectors(targets.length) }, (_, i) => targets[Math.min(i, targets.length - 1)]!);
}

function* slices(targets: readonly Target[], vocabularySize: number): Generator<readonly Target[]> {
  const length = wholeVectors(Math.min(MAX_TARGETS, Math.floor(MAX_LOGITS / vocabularySize) || 1));
  for (let start = 0; start < targets.length; start += length) yield targets.slice(start, start + length);
}
