import { UserError } from "../errors.ts";
import { bytesPerElement, elementCount, type Dtype, type Shape } from "../tensor/dtype.ts";
import { isJsonObject } from "../files/json-object.ts";
import { showUntrusted as show } from "../files/show-untrusted.ts";
import { findStructureFault } from "../files/structure-fault.ts";

/** What a tensor is, apart from its values. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/** A tensor of a checkpoint; `bytes` is its size as stored. */
export interface TensorInfo extends TensorSpec {
  readonly bytes: number;
}

/** A tensor and the position of its first byte in its file. */
export interface StoredTensor extends TensorInfo {
  readonly start: number;
}

/** A tensor of a type that no forward pass reads, such as a counter or a mask. */
export interface OtherTensor extends Omit<TensorInfo, "dtype"> {
  /** As safetensors calls it, such as I64. */
  readonly dtype: string;
}

/** What a header describes. */
export interface Header {
  readonly tensors: readonly TensorInfo[];
  readonly others: readonly OtherTensor[];
}

/** That of safetensors, which says where the tensors are. */
export interface SafetensorsHeader extends Header {
  /** In the order of their bytes. */
  readonly tensors: readonly StoredTensor[];
  readonly others: readonly (OtherTensor & Pick<StoredTensor, "start">)[];
}

/** Size of the little-endian u64 before the header. */
export const LENGTH_BYTES = 8;

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
/** The four keys, one object and two arrays of 200,000 tensors, twice what the largest mixtures of experts have. */
const MAX_PARTS = 7 * 200_000;
const MAX_DIMENSIONS = 8;

/** The types that a forward pass reads, by their names in safetensors. */
export const storedDtypes: ReadonlyMap<unknown, Dtype> = new Map([
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
]);

/** Bytes of an element of the types that are known and not read; the format's types of less than a byte are neither. */
const otherDtypes: ReadonlyMap<unknown, number> = new Map(
  Object.entries({ BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1, F8_E8M0: 1, I16: 2, U16: 2, I32: 4, U32: 4 }).concat(
    Object.entries({ F64: 8, I64: 8, U64: 8, C64: 8 }),
  ),
);

/** Length of the header from the first bytes of an untrusted file; a UserError when it cannot be one. */
export function readHeaderLength(start: Uint8Array, path: string, fileBytes: number): number {
  if (Buffer.from(start).toString("latin1") === "version ")
    throw new UserError(`${path}: this is a Git LFS pointer, not the weights; run "git lfs pull" in its folder`);
  if (start.length < LENGTH_BYTES)
    throw new UserError(`${path}: expected a safetensors header, found a file of ${fileBytes} bytes`);
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > fileBytes - LENGTH_BYTES)
    throw new UserError(
      `${path}: expected a header of at most the ${fileBytes - LENGTH_BYTES} bytes left in the file, found one of ${length}`,
    );
  if (length > MAX_HEADER_BYTES)
    throw new UserError(`${path}: expected a header of at most ${MAX_HEADER_BYTES} bytes, found one of ${length}`);
  return Number(length);
}

/**
 * Tensors of an untrusted header (the JSON after the length) in the order of their bytes, which must fill the rest of
 * the file without holes or overlaps; a UserError names the first fault.
 */
export function parseHeader(header: Uint8Array, path: string, fileBytes: number): SafetensorsHeader {
  const dataStart = LENGTH_BYTES + header.length;
  const { __metadata__: metadata = {}, ...entries } = parseHeaderJson(header, path);
  if (!isJsonObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string"))
    throw new UserError(`${path}: __metadata__: expected an object of strings, found ${show(metadata)}`);
  const placed = Object.entries(entries)
    .map(([name, entry]) => parseTensor(name, entry, path, dataStart))
    .toSorted((a, b) => a.start - b.start || a.bytes - b.bytes);
  checkCoverage(placed, path, dataStart, fileBytes);
  const tensors: StoredTensor[] = [];
  const others: SafetensorsHeader["others"][number][] = [];
  for (const { storedDtype, ...tensor } of placed) {
    const dtype = storedDtypes.get(storedDtype);
    if (dtype) tensors.push({ ...tensor, dtype });
    else others.push({ ...tensor, dtype: storedDtype });
  }
  return { tensors, others };
}

function parseHeaderJson(header: Uint8Array, path: string): Record<string, unknown> {
  let value: unknown;
  let fault: string | undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
    fault = findStructureFault(text, MAX_PARTS);
    if (!fault) value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path}: the header is not JSON in UTF-8; this is not a safetensors file`, { cause });
  }
  if (fault) throw new UserError(`${path}: the header ${fault}`);
  if (!isJsonObject(value)) throw new UserError(`${path}: the header: expected an object, found ${show(value)}`);
  return value;
}

/** A tensor of any known type and its place in the file. */
interface PlacedTensor extends Omit<StoredTensor, "dtype"> {
  readonly storedDtype: string;
}

function parseTensor(name: string, entry: unknown, path: string, dataStart: number): PlacedTensor {
  const fault = (text: string): UserError => new UserError(`${path}: tensor ${show(name)}: ${text}`);
  if (/[\p{Cc}\p{Cs}]/u.test(name)) throw fault("expected no control characters or lone surrogates in its name");
  if (!isJsonObject(entry)) throw fault(`expected an object, found ${show(entry)}`);
  const { dtype: storedDtype, shape, data_offsets: offsets } = entry;
  const elementBytes = elementBytesOf(storedDtype);
  if (typeof storedDtype !== "string" || elementBytes === undefined)
    throw fault(`expected the dtype F32, F16 or BF16, found ${show(storedDtype)}`);
  if (!isArrayOfCounts(shape) || shape.length > MAX_DIMENSIONS)
    throw fault(`expected a shape of at most ${MAX_DIMENSIONS} whole numbers from 0, found ${show(shape)}`);
  if (!isArrayOfCounts(offsets) || offsets.length !== 2)
    throw fault(`expected data_offsets of a start and an end, found ${show(offsets)}`);
  const [start = 0, end = 0] = offsets;
  const bytes = elementCount(shape) * elementBytes;
  if (end - start !== bytes)
    throw fault(
      `expected data_offsets of ${bytes} bytes for ${show(storedDtype)} of shape ${show(shape)}, found ${show(offsets)}`,
    );
  return { name, storedDtype, shape, bytes, start: dataStart + start };
}

function elementBytesOf(storedDtype: unknown): number | undefined {
  const dtype = storedDtypes.get(storedDtype);
  return dtype ? bytesPerElement[dtype] : otherDtypes.get(storedDtype);
}

function checkCoverage(tensors: readonly PlacedTensor[], path: string, dataStart: number, fileBytes: number): void {
  let end = dataStart;
  for (const { name, start, bytes } of tensors) {
    if (start !== end)
      throw new UserError(
        `${path}: tensor ${show(name)}: expected its data at offset ${end - dataStart}, found it at ${start - dataStart}; tensors follow each other without holes or overlaps`,
      );
    end += bytes;
  }
  if (end !== fileBytes)
    throw new UserError(
      `${path}: expected ${end} bytes by its header, found ${fileBytes}; was it copied or downloaded in full?`,
    );
}

function isArrayOfCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Bytes of a tensor in its file. */
export function tensorBytes({ dtype, shape }: Pick<TensorSpec, "dtype" | "shape">): number {
  return elementCount(shape) * bytesPerElement[dtype];
}

/** Length and header of a file that holds `tensors` in this order, padded so that the data starts at a multiple of 8. */
export function formatHeader(tensors: readonly TensorSpec[]): Uint8Array {
  let end = 0;
  const entries = tensors.map((tensor) => {
    const start = end;
    end += tensorBytes(tensor);
    return [tensor.name, { dtype: tensor.dtype.toUpperCase(), shape: tensor.shape, data_offsets: [start, end] }];
  });
  const json = JSON.stringify(Object.fromEntries([["__metadata__", { format: "pt" }], ...entries]));
  const header = Buffer.from(json + " ".repeat(-Buffer.byteLength(json) & 7));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}
