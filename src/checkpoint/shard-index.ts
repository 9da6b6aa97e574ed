import { UserError } from "../errors.ts";
import { isJsonObject, readJsonObject } from "../files/json-object.ts";
import { showUntrusted as show } from "../files/show-untrusted.ts";

/** Tensor name → name of the file in the same folder that holds it. */
export type WeightMap = ReadonlyMap<string, string>;

/** A model of 200,000 tensors, twice what the largest mixtures of experts have, has an index of some 20 MB. */
const MAX_BYTES = 2 ** 25;

/** Reads the untrusted model.safetensors.index.json at `path`; a UserError unless it maps tensors to plain file names. */
export async function readShardIndex(path: string): Promise<WeightMap> {
  const { weight_map: weightMap } = await readJsonObject(path, MAX_BYTES);
  if (!isJsonObject(weightMap)) throw new UserError(`${path}: weight_map is ${show(weightMap)}, expected an object`);
  const shards = new Map<string, string>();
  for (const [tensor, file] of Object.entries(weightMap)) {
    // Names are checked rather than real paths, because the Hugging Face cache links its files to blobs elsewhere.
    if (typeof file !== "string" || !/^\w[\w.-]*\.safetensors$/.test(file))
      throw new UserError(
        `${path}: tensor ${show(tensor)} is mapped to ${show(file)}, expected the name of a .safetensors file in the folder`,
      );
    shards.set(tensor, file);
  }
  return shards;
}
