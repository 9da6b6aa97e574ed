import { bytesPerElement, type Dtype } from "../../tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../tensor/half.ts";
import { joinedStamps } from "../../files/file-version.ts";
import { HEAD } from "../adapter/embeddings.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { putInto } from "../pieces.ts";
import { type Header, tensorBytes, type TensorInfo } from "../safetensors-header.ts";
import type { FilePlace, WeightFile } from "../weight-file.ts";
import { hasRowsOfTokens, standsFor } from "./token-tensors.ts";

/** A row of another model's embeddings. */
export interface LentRow {
  readonly lender: Pick<Checkpoint, "tensors" | "peek" | "stamp">;
  readonly row: number;
}

/** Where the rows of a model's embeddings are, in the order of another vocabulary. */
export interface RowMap {
  /** The model's own row of each token, or -1. */
  readonly own: Int32Array;
  /** The rows of others, by row: one of them, or the mean of several. A row that nobody has is zeros. */
  readonly lent: ReadonlyMap<number, readonly LentRow[]>;
  /** Whether there is a head beside the embedding; a model that ties the two has the embedding's rows there. */
  readonly hasHead: boolean;
}

/**
 * A file of weights as a model of another vocabulary has them: the same tensors, of which those with a row for each token are
 * gathered when they are read and nowhere kept. Rows of others are rounded once, to the type of the tensor.
 */
export class GatheredFile implements WeightFile {
  readonly path: string;
  readonly header: Header;
  readonly #file: WeightFile;
  readonly #rows: RowMap;
  /** The tensors that are gathered, by name, as they are in the file. */
  readonly #stored: ReadonlyMap<string, TensorInfo>;

  /** Closes nothing: the file stays whose it is. */
  constructor(file: WeightFile, rows: RowMap) {
    const inFile = new Map(file.header.tensors.map((tensor) => [tensor.name, tensor]));
    const embedding = rows.hasHead ? inFile.get(standsFor(HEAD, inFile) ?? "") : undefined;
    const tensors = [...inFile].filter(([name]) => hasRowsOfTokens(name));
    this.#stored = new Map([...tensors, ...(embedding ? [[HEAD, embedding] as const] : [])]);
    const gathered = new Map(
      Array.from(this.#stored, ([name, { dtype, shape }]): [string, TensorInfo] => {
        const spec = { name, dtype, shape: [rows.own.length, ...shape.slice(1)] };
        return [name, { ...spec, bytes: tensorBytes(spec) }];
      }),
    );
    this.path = file.path;
    this.header = { ...file.header, tensors: [...new Map([...inFile, ...gathered]).values()] };
    this.#file = file;
    this.#rows = rows;
  }

  async read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const stored = this.#stored.get(name);
    return stored ? putInto(into, await this.#gather(name, stored)) : this.#file.read(name, into);
  }

  async part(
    name: string,
    start: number,
    bytes: number,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#stored.has(name)) return this.#file.part(name, start, bytes, into);
    return putInto(into, (await this.read(name)).slice(start, start + bytes));
  }

  placeOf(name: string): FilePlace | undefined {
    return this.#stored.has(name) ? undefined : this.#file.placeOf?.(name);
  }

  stamp(name: string): Promise<string | undefined> {
    const stored = this.#stored.get(name);
    if (!stored) return this.#file.stamp(name);
    const lenders = new Set([...this.#rows.lent.values()].flat().map(({ lender }) => lender));
    return joinedStamps([
      this.#file.stamp(stored.name),
      ...Array.from(lenders, (lender) => lender.stamp(standsFor(name, lender.tensors) ?? name)),
    ]);
  }

  checkUnchanged(): Promise<void> {
    return this.#file.checkUnchanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #gather(name: string, { name: stored, dtype, shape, bytes }: TensorInfo): Promise<Uint8Array<ArrayBuffer>> {
    const { own, lent } = this.#rows;
    const rowBytes = tensorBytes({ dtype, shape: shape.slice(1) });
    const source = await this.#file.part(stored, 0, bytes);
    const gathered = new Uint8Array(own.length * rowBytes);
    for (const [row, from] of own.entries())
      if (from >= 0) gathered.set(source.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
    for (const [row, rows] of lent) gathered.set(await meanOf(name, rows, dtype), row * rowBytes);
    return gathered;
  }
}

/** Of one row, that row: the same bytes where it has the type. */
async function meanOf(tensor: string, rows: readonly LentRow[], dtype: Dtype): Promise<Uint8Array> {
  const read = await Promise.all(rows.map((row) => rowOf(tensor, row)));
  const [first] = read;
  if (first && read.length === 1 && first.dtype === dtype) return first.bytes;
  const values = read.map((row) => toFloat32(row.bytes, row.dtype));
  const mean = (values[0] ?? new Float32Array()).map(
    (_, i) => values.reduce((sum, row) => sum + (row[i] ?? 0), 0) / values.length,
  );
  return fromFloat32(mean, dtype);
}

async function rowOf(
  tensor: string,
  { lender, row }: LentRow,
): Promise<{ readonly bytes: Uint8Array; readonly dtype: Dtype }> {
  const name = standsFor(tensor, lender.tensors) ?? tensor;
  const { dtype = "f32", shape = [] } = lender.tensors.get(name) ?? {};
  const bytes = (shape[1] ?? 0) * bytesPerElement[dtype];
  return { dtype, bytes: await lender.peek(name, row * bytes, bytes) };
}
