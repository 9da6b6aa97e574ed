import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { type ByteSource, readInside } from "./byte-source.ts";
import { storagesOf, type TorchContent, viewsOf } from "./torch-content.ts";
import { EndlessPickle } from "./pickle-machine.ts";
import { unpickle } from "./unpickle.ts";
import { placeEntries, readZipDirectory, type ZipDirectory, type ZipEntry } from "./zip-directory.ts";

/** The limit of a header of safetensors, for what holds the same. */
const MAX_PICKLE_BYTES = 100_000_000;
/** Big-endian storages would need every element turned around. */
const BYTE_ORDER = "little";

/** The archive of `torch.save` since PyTorch 1.6: a folder with data.pkl, byteorder and a file for each storage. */
export async function readArchive(source: ByteSource): Promise<TorchContent> {
  const { path } = source;
  const directory = await readZipDirectory(source);
  const pickles = [...directory.entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle, other] = pickles;
  if (pickle === undefined || other !== undefined)
    throw new UserError(`${path}: expected one data.pkl, as torch.save writes it, found ${pickles.length}`);
  const folder = pickle.slice(0, pickle.lastIndexOf("/"));
  await checkByteOrder(source, directory, `${folder}/byteorder`);
  const { value } = unpickleWhole(await readEntry(source, directory, pickle, MAX_PICKLE_BYTES), path);
  const views = viewsOf(value, path);
  const storages = storagesOf(views.values(), path);
  return {
    views,
    async place() {
      const entries = Array.from(storages.values(), ({ key, elements, elementBytes }): [string, ZipEntry] => {
        const entry = entryOf(source, directory, `${folder}/data/${key}`);
        const bytes = elements * elementBytes;
        if (bytes > entry.bytes)
          throw new UserError(`${path}: storage ${show(key)}: expected ${bytes} bytes, found ${entry.bytes}`);
        return [key, entry];
      });
      const places = await placeEntries(source, directory, [
        entryOf(source, directory, pickle),
        ...entries.map(([, entry]) => entry),
      ]);
      return new Map(entries.map(([key, { name }]) => [key, places.get(name)?.start ?? 0]));
    },
  };
}

async function checkByteOrder(source: ByteSource, directory: ZipDirectory, name: string): Promise<void> {
  if (!directory.entries.has(name)) return;
  const order = Buffer.from(await readEntry(source, directory, name, BYTE_ORDER.length)).toString("latin1");
  if (order !== BYTE_ORDER)
    throw new UserError(
      `${source.path}: expected the byte order "${BYTE_ORDER}", found ${show(order)}; save it again on another machine`,
    );
}

async function readEntry(
  source: ByteSource,
  directory: ZipDirectory,
  name: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const entry = entryOf(source, directory, name);
  if (entry.bytes > maxBytes)
    throw new UserError(`${source.path}: ${show(name)}: expected at most ${maxBytes} bytes, found ${entry.bytes}`);
  const { start = 0, bytes = 0 } = (await placeEntries(source, directory, [entry])).get(name) ?? {};
  return readInside(source, show(name), { start, length: bytes });
}

function entryOf({ path }: ByteSource, { entries }: ZipDirectory, name: string): ZipEntry {
  const entry = entries.get(name);
  if (!entry) throw new UserError(`${path}: expected the zip entry ${show(name)}, found none of that name`);
  return entry;
}

function unpickleWhole(bytes: Uint8Array, path: string): ReturnType<typeof unpickle> {
  try {
    return unpickle(bytes, path);
  } catch (error) {
    if (error instanceof EndlessPickle) throw new UserError(error.message, { cause: error });
    throw error;
  }
}
