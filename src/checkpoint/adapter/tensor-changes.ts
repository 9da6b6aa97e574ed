import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { sameShape, type Shape } from "../../tensor/dtype.ts";
import type { TensorSpec } from "../safetensors-header.ts";
import type { AdapterConfig } from "./adapter-config.ts";
import type { TensorChange } from "./tensor-change.ts";

/** Tensors by name, be they of a base or of an adapter. */
export type Specs = ReadonlyMap<string, Pick<TensorSpec, "shape">>;

/** The tensors of one module of an adapter, by part. */
export type Parts = Map<string, string>;

/** One of them. */
type Part = Pick<TensorSpec, "name" | "shape">;

/** Tensors of a base, second names of a weight left out, and its `model_type`. */
export interface BaseSpecs {
  readonly tensors: Specs;
  readonly modelType: unknown;
}

/** Families whose linear layers are Conv1D, which holds its weight as [in, out]. */
const CONV1D_TYPES: ReadonlySet<unknown> = new Set(["gpt2", "openai-gpt"]);

/** Names of embeddings, of which a base has one, and of the head, which it does not have where the embedding is that too. */
const EMBEDDINGS = ["model.embed_tokens.weight", "shared.weight"];
const HEAD = "lm_head.weight";

/** What to do about an adapter that knows head and embedding as two. */
export const UNTIE = "save the base with both of them and tie_word_embeddings false, and name that as the base";

/** The changes of one adapter, each checked against its base before it is added. */
export class Changes {
  readonly byTensor = new Map<string, TensorChange>();
  readonly #config: AdapterConfig;
  readonly #adapter: Specs;
  readonly #base: BaseSpecs;

  constructor(config: AdapterConfig, adapter: Specs, base: BaseSpecs) {
    this.#config = config;
    this.#adapter = adapter;
    this.#base = base;
  }

  /** A tensor of the adapter that stands in the place of the base's. */
  addReplacement(tensor: string, name: string, shape: Shape): void {
    const tied = tensor === HEAD ? this.#tied : undefined;
    const change = this.#changeOf(tied ?? tensor);
    const role = tied === undefined ? "replacement" : "twin";
    this.#expectShape(name, shape, this.#shapeIn(tied ?? tensor, name));
    if (change[role] !== undefined) throw this.#fault(bothNamed(change[role], name));
    change[role] = name;
  }

  addProduct(module: string, parts: Parts): void {
    const [part = ""] = parts.values();
    if (`${module}.weight` === HEAD && this.#tied !== undefined) throw this.#untied(part);
    const isEmbedding = parts.has("lora_embedding_A");
    const [a, b] = isEmbedding ? ["lora_embedding_A", "lora_embedding_B"] : ["lora_A", "lora_B"];
    const [first, second] = [this.#partOf(module, parts, a), this.#partOf(module, parts, b)];
    const isTransposed = isEmbedding || CONV1D_TYPES.has(this.#base.modelType);
    const outputs = this.#checkMatrices(module, first, second, isTransposed);
    const magnitude = this.#magnitudeOf(module, parts, outputs);
    const scale = this.#config.scaleOf(module);
    this.#changeOf(`${module}.weight`).product = {
      a: first.name,
      b: second.name,
      scale,
      isTransposed,
      isRoundedFirst: isEmbedding && magnitude === undefined,
      ...(magnitude === undefined ? {} : { magnitude }),
    };
    const bias = parts.get("lora_B.bias");
    if (bias !== undefined) this.#addBias(`${module}.bias`, bias, scale);
  }

  /**
   * Refuses what would part an embedding from the head that it is, as `modules_to_save` do in peft unless both are there, or
   * what was trained as a change of the head alone. A low-rank change of the embedding is the head's in peft, too.
   */
  checkTies(): void {
    const { replacement, twin, product } = this.byTensor.get(this.#tied ?? "") ?? {};
    if ((replacement !== undefined) === (twin !== undefined)) return;
    if (replacement !== undefined && product) return;
    throw this.#untied(replacement ?? twin ?? "");
  }

  /** The embedding that is the head, too. */
  get #tied(): string | undefined {
    const { tensors } = this.#base;
    return tensors.has(HEAD) ? undefined : EMBEDDINGS.find((name) => tensors.has(name));
  }

  #untied(name: string): UserError {
    return this.#fault(`${show(name)}: head and embedding of the base are one, and would be so no more; ${UNTIE}`);
  }

  /** How many outputs the module has. */
  #checkMatrices(module: string, first: Part, second: Part, isTransposed: boolean): number {
    const expected = this.#shapeIn(`${module}.weight`, first.name);
    const [rank = 0, inputs = 0] = first.shape;
    const [outputs = 0, inner = 0] = second.shape;
    if (first.shape.length !== 2 || second.shape.length !== 2 || inner !== rank)
      throw this.#fault(`${show(second.name)}: expected shape [out, ${rank}], found [${second.shape.join(", ")}]`);
    this.#expectShape(first.name, isTransposed ? [inputs, outputs] : [outputs, inputs], expected);
    const stated = this.#config.rankOf(module);
    if (rank !== stated)
      throw this.#fault(`${show(first.name)}: expected the rank ${stated} of ${this.#config.path}, found ${rank}`);
    return outputs;
  }

  #magnitudeOf(module: string, parts: Parts, outputs: number): string | undefined {
    const magnitude = parts.get("lora_magnitude_vector");
    const { hasMagnitudes, path } = this.#config;
    if ((magnitude !== undefined) !== hasMagnitudes) {
      const found = magnitude === undefined ? "no magnitude, though" : "a magnitude, and not";
      throw this.#fault(`${show(module)}: ${found} use_dora in ${path}`);
    }
    if (magnitude !== undefined) this.#expectShape(magnitude, this.#adapter.get(magnitude)?.shape ?? [], [outputs]);
    return magnitude;
  }

  #addBias(tensor: string, name: string, scale: number): void {
    this.#expectShape(name, this.#adapter.get(name)?.shape ?? [], this.#shapeIn(tensor, name));
    this.#changeOf(tensor).bias = { tensor: name, scale };
  }

  #changeOf(tensor: string): TensorChange {
    const change = this.byTensor.get(tensor) ?? {};
    this.byTensor.set(tensor, change);
    return change;
  }

  #partOf(module: string, parts: Parts, part: string): Part {
    const name = parts.get(part) ?? "";
    const found = this.#adapter.get(name);
    if (!found) throw this.#fault(`expected ${part} of ${show(module)}, found none`);
    return { name, shape: found.shape };
  }

  /** The shape of a tensor of the base. */
  #shapeIn(tensor: string, because: string): Shape {
    const found = this.#base.tensors.get(tensor);
    if (found) return found.shape;
    throw this.#fault(
      `${show(because)} changes ${show(tensor)}, which the base does not have; it is an adapter of another model`,
    );
  }

  #expectShape(name: string, found: Shape, expected: Shape): void {
    if (sameShape(found, expected)) return;
    const shapes = `expected shape [${expected.join(", ")}] of the base, found [${found.join(", ")}]`;
    throw this.#fault(`${show(name)}: ${shapes}; it is an adapter of another model`);
  }

  #fault(text: string): UserError {
    return adapterFault(this.#config, text);
  }
}

/** Such as a name with and one without what peft puts in front of it. */
export function bothNamed(first: string, second: string): string {
  return `${show(first)} and ${show(second)} are two tensors for one place; remove the one that is not meant`;
}

export function adapterFault({ name }: AdapterConfig, text: string): UserError {
  return new UserError(`${name}: the adapter: ${text}`);
}
