import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { cast, gatherRows, type Expression } from "../../src/device/expression.ts";
import { gradients } from "../../src/device/gradient.ts";
import { DeviceBatches } from "../../src/evaluate/device-batches.ts";
import type { PackedBatch } from "../../src/evaluate/pack.ts";
import { Uploads } from "../../src/evaluate/uploads.ts";
import type { Model, State } from "../../src/model/architecture.ts";
import { openModel } from "../../src/model/open-model.ts";
import type { TokenBatch } from "../../src/model/token-batch.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { f32Values } from "../device/sample-values.ts";
import { testedEngines } from "../device/tested-engines.ts";
import { tinyConfig } from "../tiny-model.ts";

const LENGTH = 48;
/** Tokens of three sequences. */
const COUNTS = [48, 20, 7];
const PLACES = COUNTS.length * LENGTH;
const hidden = 64;
const config = tinyConfig({ hidden });

describe.each(testedEngines)("of a batch with padding, of which some places are read, on %s", (_, open) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device[Symbol.asyncDispose]());

  const cases = (["f32", "bf16"] as const).flatMap((precision) =>
    [
      [47, 67, 102],
      [0, 46, 47, 48, 66, 67, 96, 97, 98, 99, 100, 101, 102],
      [...Array(48).keys(), 50, 96],
    ].map((reads) => ({ precision, reads })),
  );

  test.each(cases)(
    "what is read has the bits that it has among all: $precision, $reads",
    async ({ precision, reads }) => {
      await using setup = await setUp(device, precision, reads);
      const [whole, own] = (await device.run([
        gatherRows(setup.through(setup.whole), setup.readPlaces),
        setup.through(setup.own),
      ])) as [DeviceTensor, DeviceTensor];
      expect(setup.own.placing).toBeDefined();
      expect(own.shape).toEqual([setup.readPlaces.shape[0], hidden]);
      expect(await device.read(own)).toEqual(await device.read(whole));
    },
  );

  test.each(cases.filter(({ precision }) => precision === "f32"))(
    "derivatives are those of the whole batch, $reads",
    async ({ precision, reads }) => {
      await using setup = await setUp(device, precision, reads);
      const weights = setup.weights.flatMap((own) => Object.values(own));
      const seed = setup.seedOfReads;
      const whole = { output: gatherRows(setup.through(setup.whole), setup.readPlaces), seed };
      const [ofWhole, ofOwn] = [whole, { output: setup.through(setup.own), seed }].map((seeded) =>
        gradients([seeded], weights).map((derivative) => derivative!),
      );
      const results = await device.run([...ofWhole!, ...ofOwn!]);
      for (const [i] of weights.entries()) {
        const expected = f32Values(await device.read(results[i]!));
        const found = f32Values(await device.read(results[weights.length + i]!));
        const largest = Math.max(...expected.map(Math.abs));
        expect(largest).toBeGreaterThan(0);
        for (const [j, value] of found.entries()) expect(Math.abs(value - expected[j]!)).toBeLessThan(1e-5 * largest);
      }
    },
  );
});

interface SetUp extends AsyncDisposable {
  /** As scorings have it, */
  readonly own: TokenBatch;
  /** and with a token at each place, all of which are read. */
  readonly whole: TokenBatch;
  /** Places of what `own` reads, i32. */
  readonly readPlaces: Expression;
  /** As many as these f32 [hidden], 0 for those that only make whole vectors. */
  readonly seedOfReads: Expression;
  /** Of the two layers. */
  readonly weights: readonly Readonly<Record<string, Expression>>[];
  /** The hidden states behind both layers. */
  readonly through: (batch: TokenBatch) => Expression;
}

async function setUp(device: Device, precision: Dtype, reads: readonly number[]): Promise<SetUp> {
  const model = openModel({ folder: "tiny", config }, precision);
  const uploads = new Uploads(device);
  const stream = RandomStream.of(1, "layers");
  const normal = (shape: readonly number[]): Promise<Expression> =>
    uploads.put(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal()),
      shape,
    );
  const stages = model.stages.slice(0, 3);
  const weights: Record<string, Expression>[] = [];
  for (const stage of stages) {
    const own: Record<string, Expression> = {};
    for (const [role, { shape }] of Object.entries(stage.weights)) own[role] = cast(await normal(shape), "bf16");
    weights.push(own);
  }
  const packed = packedBatch(model, reads);
  const batches = await DeviceBatches.upload(device, model, [packed]);
  const own = batches.batches[0]!;
  const { placing: _, reads: own_, ...rest } = own;
  const whole: TokenBatch = {
    ...rest,
    tokens: await uploads.put(packed.tokens, [PLACES]),
    positions: { every: await uploads.put(packed.positions["every"]!, [PLACES]) },
  };
  const inOrder = await placesOfReads(device, own_!.tokens, own);
  const seen = new Set<number>();
  const seeds = inOrder.flatMap((place) => {
    const counts = !seen.has(place) && seen.add(place);
    return Array.from({ length: hidden }, () => (counts ? stream.normal() : 0));
  });
  return {
    own,
    whole,
    readPlaces: await uploads.put(Int32Array.from(inOrder), [inOrder.length]),
    seedOfReads: await uploads.put(Float32Array.from(seeds), [inOrder.length, hidden]),
    weights: weights.slice(1),
    through: (batch) =>
      stages.reduce((state: State, { forward }, i) => forward(weights[i]!, state, batch), {})["hidden"]!,
    [Symbol.asyncDispose]: async () => {
      batches.free();
      uploads.free();
    },
  };
}

async function placesOfReads(device: Device, tokens: Expression, { placing }: TokenBatch): Promise<number[]> {
  const [reads, placeOf] = [await integersOf(device, tokens), await integersOf(device, placing!.placeOf)];
  return reads.map((token) => placeOf[token]!);
}

async function integersOf(device: Device, expression: Expression): Promise<number[]> {
  if (expression.op !== "input") throw new Error(`expected an input, found ${expression.op}`);
  const bytes = await device.read(expression.tensor);
  return [...new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
}

function packedBatch({ vocabularySize }: Model, reads: readonly number[]): PackedBatch {
  const stream = RandomStream.of(2, "tokens");
  const isToken = (place: number): boolean => place % LENGTH < COUNTS[Math.floor(place / LENGTH)]!;
  const places = [...Array(PLACES).keys()];
  return {
    members: [...COUNTS.keys()],
    sequences: COUNTS.length,
    length: LENGTH,
    counts: COUNTS,
    tokens: Int32Array.from(places, (place) => (isToken(place) ? Math.floor(vocabularySize * stream.uniform()) : 0)),
    positions: { every: Int32Array.from(places, (place) => (isToken(place) ? place % LENGTH : 0)) },
    masks: {
      causal: Float32Array.from({ length: PLACES * LENGTH }, (_, i) => {
        const [row, column] = [Math.floor(i / LENGTH), i % LENGTH];
        const isOpen = isToken(row) ? column <= row % LENGTH : column === row % LENGTH;
        return isOpen ? 0 : -Infinity;
      }),
    },
    targets: reads.map((row) => ({ prompt: 0, continuation: 0, row, token: 0 })),
  };
}
