import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { writeCheckpoint, type TensorSpec } from "../../src/checkpoint/write-checkpoint.ts";
import { UserError } from "../../src/errors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const fixtures = join(import.meta.dirname, "../fixtures/checkpoint");
const tensors = ["a", "b", "c"].map((name): TensorSpec => ({ name, dtype: "bf16", shape: [2, 4] }));

/** 16 bytes that tell the tensor and the version. */
function bytesOf(name: string, version: number): Uint8Array {
  return new Uint8Array(16).fill(name.charCodeAt(0) + version);
}

async function writeVersion(folder: string, version: number, maxShardBytes = 32): Promise<void> {
  await writeCheckpoint(folder, tensors, async (name) => bytesOf(name, version), { maxShardBytes });
}

async function readVersions(folder: string): Promise<number[]> {
  writeFileSync(join(folder, "config.json"), "{}");
  await using checkpoint = await Checkpoint.open(folder);
  const values = [];
  for (const { name } of tensors) values.push((await checkpoint.read(name))[0]! - name.charCodeAt(0));
  return values;
}

async function shardsOf(maxShardBytes: number): Promise<string[]> {
  const folder = await temporaryFolder();
  await writeVersion(folder, 0, maxShardBytes);
  return readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
}

describe("checkpoint writer", () => {
  test.each([16, 1000])("keeps tensors of any name, in shards of %i bytes too", async (maxShardBytes) => {
    const folder = await temporaryFolder();
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const specs = names.map((name): TensorSpec => ({ name, dtype: "bf16", shape: [2, 4] }));
    await writeCheckpoint(folder, specs, async (name) => bytesOf(name, 0), { maxShardBytes });
    writeFileSync(join(folder, "config.json"), "{}");
    await using checkpoint = await Checkpoint.open(folder);
    expect([...checkpoint.tensors.keys()].toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(await checkpoint.read(name)).toEqual(bytesOf(name, 0));
  });

  test("writes shards and index as the original libraries do, byte for byte but for the index's layout", async () => {
    const folder = await temporaryFolder();
    await using original = await Checkpoint.open(join(fixtures, "sharded"));
    const specs = [...original.tensors.values()];
    const written = await writeCheckpoint(folder, specs, (name) => original.read(name), { maxShardBytes: 64 });
    for (const { file, bytes, sha256 } of written) {
      expect(readFileSync(join(folder, file))).toHaveLength(bytes);
      expect(
        createHash("sha256")
          .update(readFileSync(join(folder, file)))
          .digest("hex"),
      ).toBe(sha256);
      if (file.endsWith(".json"))
        expect(JSON.parse(readFileSync(join(folder, file)).toString())).toEqual(
          JSON.parse(readFileSync(join(original.folder, file)).toString()),
        );
      else expect(readFileSync(join(folder, file))).toEqual(readFileSync(join(original.folder, file)));
    }
    expect([...readdirSync(folder), "config.json"].toSorted()).toEqual(readdirSync(original.folder).toSorted());
  });

  test("gives back any tensors in any number of shards, none of them too large", async () => {
    const spec = fc.record({
      name: fc.stringMatching(/^[a-z.]{1,9}$/),
      dtype: fc.constantFrom("f32", "f16", "bf16"),
      shape: fc.array(fc.nat(4), { maxLength: 3 }),
    });
    const specs = fc.uniqueArray(spec, { selector: ({ name }) => name, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(specs, fc.integer({ min: 1, max: 100 }), async (specs, maxShardBytes) => {
        const folder = await temporaryFolder();
        writeFileSync(join(folder, "config.json"), "{}");
        const contents = new Map(specs.map((spec, i) => [spec.name, randomBytes(spec, i)]));
        await writeCheckpoint(folder, specs, async (name) => contents.get(name)!, { maxShardBytes });
        await using checkpoint = await Checkpoint.open(folder);
        expect(checkpoint.tensors.size).toBe(specs.length);
        for (const { name, dtype, shape } of specs) {
          expect(checkpoint.tensors.get(name)).toMatchObject({ name, dtype, shape });
          expect(await checkpoint.read(name)).toEqual(contents.get(name));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("asks for one tensor at a time, in order", async () => {
    const calls: string[] = [];
    await writeCheckpoint(await temporaryFolder(), tensors, async (name) => {
      calls.push(`${name} asked`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.push(`${name} given`);
      return bytesOf(name, 0);
    });
    expect(calls).toEqual(["a asked", "a given", "b asked", "b given", "c asked", "c given"]);
  });

  test("splits when a shard would exceed its limit, and not before", async () => {
    expect(await shardsOf(48)).toEqual(["model.safetensors"]);
    expect(await shardsOf(47)).toEqual(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]);
    expect(await shardsOf(1)).toHaveLength(3);
  });

  test.each([
    ["one file over shards", 32, 1000],
    ["shards over one file", 1000, 32],
    ["other shards over shards", 16, 32],
  ])("replaces an older checkpoint: %s", async (_, before, after) => {
    const folder = await temporaryFolder();
    await writeVersion(folder, 1, before);
    await writeVersion(folder, 2, after);
    expect(await readVersions(folder)).toEqual([2, 2, 2]);
  });

  test("leaves the older checkpoint as it was when a tensor cannot be produced", async () => {
    const folder = await temporaryFolder();
    await writeVersion(folder, 1);
    const before = readdirSync(folder);
    const failing = writeCheckpoint(
      folder,
      tensors,
      async (name) => {
        if (name === "c") throw new Error("no c today");
        return bytesOf(name, 2);
      },
      { maxShardBytes: 32 },
    );
    await expect(failing).rejects.toThrow("no c today");
    expect(readdirSync(folder)).toEqual(before);
    expect(await readVersions(folder)).toEqual([1, 1, 1]);
  });

  test("leaves the older checkpoint as it was when the disk is full", async ({ skip }) => {
    const folder = await temporaryFolder();
    if (!mountSmallDisk(folder)) skip("needs the right to mount a file system");
    await writeVersion(folder, 1);
    const before = readdirSync(folder);
    const large: TensorSpec[] = [...tensors, { name: "d", dtype: "f32", shape: [50_000] }];
    const failing = writeCheckpoint(
      folder,
      large,
      async (name) => (name === "d" ? new Uint8Array(200_000) : bytesOf(name, 2)),
      { maxShardBytes: 48 },
    );
    await expect(failing).rejects.toThrow(
      /^cannot write .*\/model-00002-of-00002\.safetensors: no space left on device \(200,\d{3} bytes are needed, \d{2,3},\d{3} bytes are free\); make room/,
    );
    await expect(failing).rejects.toBeInstanceOf(UserError);
    expect(readdirSync(folder)).toEqual(before);
    expect(await readVersions(folder)).toEqual([1, 1, 1]);
  });

  test("reports a folder that cannot be created", async () => {
    const file = join(await temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(writeVersion(join(file, "model"), 1)).rejects.toThrow(
      new UserError(`cannot create ${file}/model: not a directory`),
    );
  });

  test("treats a wrong number of bytes and equal names as bugs of the caller", async () => {
    const folder = await temporaryFolder();
    await expect(writeCheckpoint(folder, tensors, async () => new Uint8Array(15))).rejects.toThrow(
      new Error("tensor a: expected 16 bytes, found 15"),
    );
    await expect(writeCheckpoint(folder, [...tensors, ...tensors], async (name) => bytesOf(name, 1))).rejects.toThrow(
      new Error("two entries named a cannot be in one checkpoint"),
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

function randomBytes({ dtype, shape }: TensorSpec, seed: number): Uint8Array {
  const elements = shape.reduce((product, size) => product * size, 1);
  return new Uint8Array(elements * (dtype === "f32" ? 4 : 2)).map((_, i) => (i * 31 + seed * 17) % 256);
}

/** Only root may mount, and not in every container. */
function mountSmallDisk(folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync("umount", [folder]));
  return true;
}
