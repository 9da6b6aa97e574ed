import { readFileSync, writeFileSync } from "node:fs";
import { safetensorsBytes } from "./safetensors-bytes.ts";

/** A tensor of a file of safetensors, by its type as the file calls it. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type RawTensors = Readonly<Record<string, RawTensor>>;

/** Writes a file of safetensors again, with the tensors that `edit` makes of its own. */
export function editTensors(path: string, edit: (tensors: RawTensors) => RawTensors): void {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const { __metadata__: _, ...header } = JSON.parse(file.subarray(8, start).toString()) as Record<
    string,
    { readonly dtype: string; readonly shape: number[]; readonly data_offsets: [number, number] }
  >;
  const tensors = Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]): [string, RawTensor] => [name, { dtype, shape, bytes: file.subarray(start + from, start + to) }],
  );
  let end = 0;
  const edited = Object.entries(edit(Object.fromEntries(tensors)));
  const written = edited.map(([name, { dtype, shape, bytes }]) => {
    const from = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  writeFileSync(
    path,
    Buffer.concat([safetensorsBytes(Object.fromEntries(written)), ...edited.map(([, { bytes }]) => bytes)]),
  );
}
