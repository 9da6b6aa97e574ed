import { showUntrusted as show } from "../files/show-untrusted.ts";
import type { Header, TensorInfo } from "./safetensors-header.ts";
import type { WeightMap } from "./shard-index.ts";
import { indexBeside } from "./weight-files.ts";

/** A file of weights, by its name in the folder of its model. */
export interface NamedHeader {
  readonly name: string;
  readonly header: Header;
}

/** The tensors of all files of a model. */
export interface JoinedHeaders {
  /** File by file, each in the order of its header. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensors of types that are never read, such as I64, by name: their types as safetensors calls them. */
  readonly others: ReadonlyMap<string, string>;
  /**
   * Where index and files, or two files, disagree about a tensor, by its name: a sentence that begins with the name of a
   * file. Of tensors that no forward pass reads it does not matter, and which these are depends on the architecture.
   */
  readonly disagreements: ReadonlyMap<string, string>;
}

/** Puts headers together; without an index they alone say where a tensor is. */
export function joinHeaders(files: readonly NamedHeader[], weightMap?: WeightMap): JoinedHeaders {
  return {
    tensors: new Map(files.flatMap(({ header }) => header.tensors.map((tensor) => [tensor.name, tensor]))),
    others: new Map(files.flatMap(({ header }) => header.others.map(({ name, dtype }) => [name, dtype]))),
    disagreements: findDisagreements(files, weightMap),
  };
}

/** The same with some tensors under other names, which `names` has by their own; sentences keep the files'. */
export function renameTensors(
  { tensors, others, disagreements }: JoinedHeaders,
  names: ReadonlyMap<string, string>,
): JoinedHeaders {
  const nameOf = (name: string): string => names.get(name) ?? name;
  return {
    tensors: new Map(Array.from(tensors, ([name, tensor]) => [nameOf(name), { ...tensor, name: nameOf(name) }])),
    others,
    disagreements: new Map(Array.from(disagreements, ([name, text]) => [nameOf(name), text])),
  };
}

function findDisagreements(files: readonly NamedHeader[], weightMap?: WeightMap): ReadonlyMap<string, string> {
  const missing = new Map(weightMap);
  const places = new Map<string, string>();
  const disagreements = new Map<string, string>();
  for (const { name: file, header } of files)
    for (const { name } of [...header.tensors, ...header.others]) {
      const fault = whyNotHere(name, file, places.get(name), weightMap);
      if (fault !== undefined) disagreements.set(name, fault);
      places.set(name, file);
      missing.delete(name);
    }
  for (const [name, file] of missing)
    disagreements.set(
      name,
      `${indexBeside(file)}: weight_map puts tensor ${show(name)} in ${file}, which does not have it`,
    );
  return disagreements;
}

function whyNotHere(tensor: string, file: string, other: string | undefined, map?: WeightMap): string | undefined {
  if (other !== undefined) return `${other}: tensor ${show(tensor)} is in this file and in ${file}`;
  if (!map || map.get(tensor) === file) return undefined;
  const said = map.get(tensor);
  const says = said === undefined ? "weight_map does not name it" : `weight_map says ${show(said)}`;
  return `${indexBeside(file)}: tensor ${show(tensor)} is in ${file}, but ${says}`;
}
