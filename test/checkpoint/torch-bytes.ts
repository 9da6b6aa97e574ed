/** Files as torch.save writes them, for models that have none in Python's own hand. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { TensorInfo } from "../../src/checkpoint/safetensors-header.ts";

type Content = TensorInfo & { readonly values: Uint8Array };

const storages = { f32: "FloatStorage", f16: "HalfStorage", bf16: "BFloat16Storage" } as const;

/** Writes the weights of a model folder again, as pytorch_model.bin or as shards of one tensor each and their index. */
export async function rewriteAsTorch(folder: string, layout: "one file" | "shards" = "one file"): Promise<void> {
  const tensors = await tensorsOf(folder);
  rmSync(join(folder, "model.safetensors"));
  if (layout === "one file") return writeFileSync(join(folder, "pytorch_model.bin"), torchBytes(tensors));
  const nameOf = (i: number): string => `pytorch_model-${fiveDigits(i + 1)}-of-${fiveDigits(tensors.length)}.bin`;
  for (const [i, tensor] of tensors.entries()) writeFileSync(join(folder, nameOf(i)), torchBytes([tensor]));
  const weightMap = Object.fromEntries(tensors.map(({ name }, i) => [name, nameOf(i)]));
  writeFileSync(join(folder, "pytorch_model.bin.index.json"), JSON.stringify({ weight_map: weightMap }));
}

async function tensorsOf(folder: string): Promise<readonly Content[]> {
  await using checkpoint = await Checkpoint.open(folder);
  const tensors: Content[] = [];
  for (const info of checkpoint.tensors.values()) tensors.push({ ...info, values: await checkpoint.read(info.name) });
  return tensors;
}

function torchBytes(tensors: readonly Content[]): Uint8Array {
  const entries = tensors.map(({ values }, i): [string, Uint8Array] => [`archive/data/${i}`, values]);
  return zipBytes([["archive/data.pkl", pickleOf(tensors)], ["archive/byteorder", Buffer.from("little")], ...entries]);
}

function pickleOf(tensors: readonly Content[]): Uint8Array {
  const items = tensors.flatMap((tensor, i) => [text(tensor.name), viewOf(tensor, i)]);
  return Buffer.concat([Buffer.from("\x80\x02}(", "latin1"), ...items, Buffer.from("u.")]);
}

function viewOf({ shape, dtype, values }: Content, key: number): Buffer {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
  const elements = values.length / (dtype === "f32" ? 4 : 2);
  return Buffer.concat([
    Buffer.from("ctorch._utils\n_rebuild_tensor_v2\n(("),
    text("storage"),
    Buffer.from(`ctorch\n${storages[dtype]}\n`),
    text(String(key)),
    text("cpu"),
    number(elements),
    Buffer.from("tQK\0("),
    ...shape.map(number),
    Buffer.from("t("),
    ...strides.map(number),
    Buffer.from("t\x89ccollections\nOrderedDict\n)RtR", "latin1"),
  ]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from("X"), uint32(bytes.length), bytes]);
}

function number(value: number): Buffer {
  return Buffer.concat([Buffer.from("J"), uint32(value)]);
}

function zipBytes(files: readonly (readonly [name: string, content: Uint8Array])[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const rest = Buffer.concat([
      Buffer.from([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      ...[crc32(content), content.length, content.length].map(uint32),
      Buffer.from([name.length, 0, 0, 0]),
    ]);
    directory.push(Buffer.from("PK\x01\x02\x14\0"), rest, Buffer.alloc(10), uint32(at), Buffer.from(name));
    const entry = Buffer.concat([Buffer.from("PK\x03\x04"), rest, Buffer.from(name), content]);
    parts.push(entry);
    at += entry.length;
  }
  const list = Buffer.concat(directory);
  const count = Buffer.from([files.length % 256, files.length >> 8]);
  const end = [Buffer.from("PK\x05\x06\0\0\0\0"), count, count, uint32(list.length), uint32(at), Buffer.alloc(2)];
  return Buffer.concat([...parts, list, ...end]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function fiveDigits(count: number): string {
  return String(count).padStart(5, "0");
}
