import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { type ByteSource, readInside } from "./byte-source.ts";
import { kindOf, PickleDict, type PickleValue, type TorchStorage } from "./pickle-values.ts";
import { storagesOf, type TorchContent, viewsOf } from "./torch-content.ts";
import { EndlessPickle } from "./pickle-machine.ts";
import { unpickle } from "./unpickle.ts";

/** What such a file begins with, and the version of all that there are. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Holds the pickles of most models; more is read where they are longer. */
const FIRST_BYTES = 2 ** 20;
const MAX_PICKLE_BYTES = 100_000_000;
/** Before each storage: how many elements it has. */
const SIZE_BYTES = 8;

interface Pickles {
  readonly value: PickleValue;
  /** Keys of the storages in their order. */
  readonly keys: PickleValue;
  /** Where the first storage begins. */
  readonly end: number;
}

/** The file of `torch.save` before PyTorch 1.6, and of its `_use_new_zipfile_serialization=False`. */
export async function readLegacy(source: ByteSource): Promise<TorchContent> {
  const { path } = source;
  const { value, keys, end } = await readPickles(source);
  const views = viewsOf(value, path);
  const storages = storagesOf(views.values(), path);
  return { views, place: () => placeStorages(source, storages, keys, end) };
}

/** Where they end is known only at their end. */
async function readPickles(source: ByteSource): Promise<Pickles> {
  for (let length = FIRST_BYTES; ; length *= 8) {
    const limit = Math.min(length, source.bytes, MAX_PICKLE_BYTES);
    try {
      return parsePickles(await readInside(source, "its pickles", { start: 0, length: limit }), source.path);
    } catch (error) {
      if (!(error instanceof EndlessPickle)) throw error;
      if (limit < length) throw new UserError(error.message, { cause: error });
    }
  }
}

function parsePickles(bytes: Uint8Array, path: string): Pickles {
  const magic = unpickle(bytes, path);
  if (magic.value !== MAGIC)
    throw new UserError(`${path}: expected weights of torch.save, found a pickle of something else`);
  const protocol = unpickle(bytes, path, magic.end);
  if (protocol.value !== PROTOCOL)
    throw new UserError(`${path}: expected version ${PROTOCOL} of torch.save, found another`);
  const system = unpickle(bytes, path, protocol.end);
  checkByteOrder(system.value, path);
  const { value, end } = unpickle(bytes, path, system.end);
  const keys = unpickle(bytes, path, end);
  return { value, keys: keys.value, end: keys.end };
}

function checkByteOrder(system: PickleValue, path: string): void {
  const entries = system instanceof PickleDict ? system.entries : [];
  const isLittle = entries.find(([name]) => name === "little_endian")?.[1];
  if (isLittle !== true)
    throw new UserError(
      `${path}: expected little_endian to be True, found ${kindOf(isLittle)}; save it again on another machine`,
    );
}

async function placeStorages(
  source: ByteSource,
  storages: ReadonlyMap<string, TorchStorage>,
  keys: PickleValue,
  start: number,
): Promise<ReadonlyMap<string, number>> {
  const fault = (text: string): UserError => new UserError(`${source.path}: ${text}`);
  if (!Array.isArray(keys)) throw fault(`expected a list of storages, found ${kindOf(keys)}`);
  const places = new Map<string, number>();
  let at = start;
  for (const key of keys as readonly PickleValue[]) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage || places.has(storage.key)) throw fault(`expected each storage once, found ${show(key)}`);
    const what = `storage ${show(key)}`;
    const size = Buffer.from(await readInside(source, what, { start: at, length: SIZE_BYTES })).readBigUInt64LE();
    if (size !== BigInt(storage.elements)) throw fault(`${what}: expected ${storage.elements} elements, found ${size}`);
    places.set(storage.key, at + SIZE_BYTES);
    at += SIZE_BYTES + storage.elements * storage.elementBytes;
    if (at > source.bytes)
      throw fault(
        `${what}: expected it to end at ${at}, found the end of the file at ${source.bytes}; was it downloaded in full?`,
      );
  }
  const missing = [...storages.keys()].find((key) => !places.has(key));
  if (missing !== undefined) throw fault(`expected storage ${show(missing)}, found none of that name`);
  return places;
}
