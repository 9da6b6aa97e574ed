import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { TorchFile } from "../../src/checkpoint/torch/torch-file.ts";
import { UserError } from "../../src/errors.ts";
import { meetMutations, mutatedBytes, mutationCount } from "../mutations.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { refusals } from "./torch-refusals.ts";

interface Described {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

const fixtures = join(import.meta.dirname, "../fixtures/checkpoint/torch");
const real = readJson<{ file: string; tensors: Record<string, Described> }>("real.json");
const hostile = readJson<string>("hostile.json");

function readJson<T>(name: string): Record<string, T> {
  return JSON.parse(readFileSync(join(fixtures, name), "utf8")) as Record<string, T>;
}

function unpack(file: string): Uint8Array {
  return inflateSync(Buffer.from(file, "base64"));
}

async function written(file: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), "pytorch_model.bin");
  writeFileSync(path, file);
  return path;
}

const READ_TYPES = new Set(["f32", "f16", "bf16"]);

describe("a file of torch.save", () => {
  test.each(Object.entries(real))(
    "has the tensors that PyTorch saved, to the bit: %s",
    async (_, { file, tensors }) => {
      await using opened = await TorchFile.open(await written(unpack(file)));
      const { header } = opened;
      const found = [...header.tensors, ...header.others];
      expect(Object.fromEntries(found.map(({ name, dtype, shape }) => [name, { dtype, shape }]))).toEqual(
        Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
      );
      expect(header.tensors.every(({ dtype }) => READ_TYPES.has(dtype))).toBe(true);
      for (const { name, bytes } of header.tensors) {
        const into = new Uint8Array(bytes);
        expect(await opened.read(name, into), name).toBe(into);
        const read = await opened.read(name);
        expect(read, name).toEqual(into);
        expect(createHash("sha256").update(read).digest("hex"), name).toBe(tensors[name]!.sha256);
        const half = Math.floor(bytes / 2);
        expect(await opened.part(name, half, bytes - half), name).toEqual(read.slice(half));
      }
    },
  );

  test("holds every kind of file that this is about", () => {
    const types = Object.values(real).flatMap(({ tensors }) => Object.values(tensors).map(({ dtype }) => dtype));
    expect(new Set(types)).toEqual(new Set(["f32", "f16", "bf16", "I64", "F64", "BOOL"]));
    expect(Object.keys(real).filter((name) => name.endsWith(", before 1.6"))).toHaveLength(
      Object.keys(real).length / 2,
    );
  });
});

describe("a file that tries to harm its reader", () => {
  test.each(Object.entries(hostile))("is refused in one sentence: %s", async (name, file) => {
    const path = await written(unpack(file));
    const refusal = await TorchFile.open(path).then(
      () => "opened",
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(UserError);
    const text = (refusal as UserError).message.replace(path, "F");
    expect(text).toBe(refusals[name]);
  });
});

const COUNT = mutationCount(2000);

test(`${COUNT} mutated files of torch.save are sound or refused in one sentence`, async () => {
  const files = Object.values(real)
    .map(({ file }) => unpack(file))
    .filter(({ length }) => length < 10_000);
  const path = await written(new Uint8Array());
  const tally = await meetMutations("torch", COUNT, async (random) => {
    const file = mutatedBytes(files[random.integer(files.length)]!, random);
    writeFileSync(path, file);
    await using opened = await TorchFile.open(path);
    for (const { name, bytes } of opened.header.tensors) {
      expect(bytes).toBeLessThanOrEqual(file.length);
      expect(await opened.read(name)).toHaveLength(bytes);
    }
  });
  expect(tally.refused).toBeGreaterThan(COUNT / 3);
  expect(tally.sound).toBeGreaterThan(COUNT / 50);
  expect(tally.slowestMs).toBeLessThan(10_000);
}, 3_600_000);
