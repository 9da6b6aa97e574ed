import { basename } from "node:path";
import { UserError } from "../errors.ts";
import { isJsonObject, readJsonObject } from "../files/json-object.ts";
import { isSafePath } from "../files/safe-path.ts";
import { showUntrusted as show } from "../files/show-untrusted.ts";
import { isTorchName } from "./weight-files.ts";

/** Tensor name → path, inside the folder of the index, of the file that holds it. */
export type WeightMap = ReadonlyMap<string, string>;

/** A model of 200,000 tensors, twice what the largest mixtures of experts have, has an index of some 20 MB. */
const MAX_BYTES = 2 ** 25;

/** Reads the untrusted index at `path`; a UserError unless it maps tensors to files of its format in its folder. */
export async function readShardIndex(path: string): Promise<WeightMap> {
  const { weight_map: weightMap } = await readJsonObject(path, MAX_BYTES);
  if (!isJsonObject(weightMap))
    throw new UserError(`${path}: weight_map: expected an object, found ${show(weightMap)}`);
  const ending = isTorchName(basename(path, ".index.json")) ? ".bin" : ".safetensors";
  const shards = new Map<string, string>();
  for (const [tensor, file] of Object.entries(weightMap)) {
    const place = typeof file === "string" ? file.replace(/^(?:\.\/)+/, "") : "";
    // Paths are checked rather than what they lead to, because the Hugging Face cache links its files to blobs elsewhere.
    if (!isSafePath(place) || !place.endsWith(ending))
      throw new UserError(
        `${path}: tensor ${show(tensor)}: expected the path of a ${ending} file inside the folder, found ${show(file)}`,
      );
    shards.set(tensor, place);
  }
  if (shards.size === 0) throw new UserError(`${path}: weight_map: expected the file of every tensor, found none`);
  return shards;
}
