import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { cast, gatherRows, input, type Expression } from "../../src/device/expression.ts";
import type { TokenBatch } from "../../src/model/token-batch.ts";
import { openModel } from "../../src/model/open-model.ts";
import { elementCount, type Shape } from "../../src/tensor/dtype.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { tinyConfig } from "../tiny-model.ts";
import { testedEngines } from "../device/tested-engines.ts";

const SEQUENCES = 2;
const LENGTH = 16;
const hidden = 64;
const config = tinyConfig({ hidden });

describe.each(testedEngines)("a layer of which some rows are read, on %s", (_, open) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each(
    (["f32", "bf16"] as const).flatMap((precision) =>
      [
        [0, 1],
        [3, 17, 31, 20, 5],
        [31, 30],
      ].map((reads) => ({ precision, reads })),
    ),
  )("gives them the bits that they have among all: $precision, rows $reads", async ({ precision, reads }) => {
    const model = openModel({ folder: "tiny", config }, precision);
    const stream = RandomStream.of(1, "layer");
    const put = async (values: Float32Array | Int32Array, shape: Shape): Promise<Expression> => {
      const dtype = values instanceof Int32Array ? "i32" : "f32";
      return input(await device.upload(new Uint8Array(values.buffer), dtype, shape));
    };
    const random = (shape: Shape): Promise<Expression> =>
      put(
        Float32Array.from({ length: elementCount(shape) }, () => stream.normal()),
        shape,
      );
    const weights: Record<string, Expression> = {};
    const [, layer, last] = model.stages;
    for (const [role, { shape }] of Object.entries(layer!.weights)) {
      weights[role] = cast(await random(shape), "bf16");
    }
    const periods = model.constants["periods every"]!;
    const tokens = await put(new Int32Array(SEQUENCES * LENGTH), [SEQUENCES * LENGTH]);
    const batch: TokenBatch = {
      sequences: SEQUENCES,
      length: LENGTH,
      tokens,
      positions: {
        every: await put(
          Int32Array.from({ length: SEQUENCES * LENGTH }, (__, i) => i % LENGTH),
          [SEQUENCES * LENGTH],
        ),
      },
      masks: { causal: await put(causalMask(), [SEQUENCES, LENGTH, LENGTH]) },
      constants: { "periods every": await put(periods, [periods.length]) },
      reads: await put(Int32Array.from(reads), [reads.length]),
      targets: [],
    };
    const state = { hidden: await random([SEQUENCES * LENGTH, hidden]) };
    const [all, some] = (await device.run([
      gatherRows(layer!.forward(weights, state, batch)["hidden"]!, batch.reads),
      last!.forward(weights, state, batch)["hidden"]!,
    ])) as [DeviceTensor, DeviceTensor];
    expect(some.shape).toEqual([reads.length, hidden]);
    expect(await device.read(some)).toEqual(await device.read(all));
  });
});

function causalMask(): Float32Array {
  return Float32Array.from({ length: SEQUENCES * LENGTH ** 2 }, (_, i) =>
    i % LENGTH <= Math.floor(i / LENGTH) % LENGTH ? 0 : -Infinity,
  );
}
