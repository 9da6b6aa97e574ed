/** What a file of `torch.save` holds: a zip archive, or pickles and storages one after the other as PyTorch before 1.6 wrote them. */
import { UserError } from "../../errors.ts";
import { type ByteSource, readInside } from "./byte-source.ts";
import { readArchive } from "./torch-archive.ts";
import { readLegacy } from "./torch-legacy.ts";
import type { TorchContent } from "./torch-content.ts";

/** Such a file that begins as a zip archive does. */
const ZIP = "PK\u0003\u0004";
/** What a pickle of protocol 2 or later begins with. */
const PICKLE = "\u0080";
const LFS = "version ";

/** Reads the tensors of a file, and no value of them; a UserError where it is not sound. */
export async function readTorchContent(source: ByteSource): Promise<TorchContent> {
  const length = Math.min(LFS.length, source.bytes);
  const start = Buffer.from(await readInside(source, "the beginning", { start: 0, length })).toString("latin1");
  if (start.startsWith(ZIP)) return readArchive(source);
  if (start.startsWith(PICKLE)) return readLegacy(source);
  if (start === LFS)
    throw new UserError(`${source.path}: this is a Git LFS pointer, not the weights; run "git lfs pull" in its folder`);
  throw new UserError(
    `${source.path}: expected weights of torch.save, found a file of ${source.bytes} bytes that is none`,
  );
}
