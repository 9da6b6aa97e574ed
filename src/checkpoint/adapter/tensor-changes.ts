import type { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { Shape } from "../../tensor/dtype.ts";
import type { TensorSpec } from "../safetensors-header.ts";
import type { AdapterConfig } from "./adapter-config.ts";
import { adapterFault, bothNamed, shapeFault, untargeted } from "./adapter-faults.ts";
import { HEAD, isOfTokens, isReader, tiedEmbedding, UNTIE, weightOf } from "./embeddings.ts";
import type { TensorChange } from "./tensor-change.ts";

/** Tensors by name, be they of a base or of an adapter. */
export type Specs = ReadonlyMap<string, Pick<TensorSpec, "shape">>;

/** The tensors of one module of an adapter, by part. */
export type Parts = Map<string, string>;

/** One of them. */
type Part = Pick<TensorSpec, "name" | "shape">;

/** Those of a low-rank change, and the tensor of the base that it changes. */
interface Matrices {
  readonly tensor: string;
  readonly first: Part;
  readonly second: Part;
  readonly isTransposed: boolean;
}

/** Tensors of a base, second names of a weight left out, and its `model_type`. */
export interface BaseSpecs {
  readonly tensors: Specs;
  readonly modelType: unknown;
}

/** Families whose linear layers are Conv1D, which holds its weight as [in, out]. */
const CONV1D_TYPES: ReadonlySet<unknown> = new Set(["gpt2", "openai-gpt"]);

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
    const module = tensor.replace(/\.weight$/, "");
    if (isReader(module) && weightOf(module, this.#base.tensors) !== tensor)
      throw this.#fault(
        `${show(name)}: encoder and decoder of the base have one embedding, and would have two; train a low-rank change of shared instead`,
      );
    const tied = tensor === HEAD ? this.#tied : undefined;
    const change = this.#changeOf(tied ?? tensor);
    const role = tied === undefined ? "replacement" : "twin";
    this.#expectShape(name, shape, this.#shapeIn(tied ?? tensor, name), isOfTokens(tensor));
    if (change[role] !== undefined) throw this.#fault(bothNamed(change[role], name));
    change[role] = name;
  }

  addProduct(module: string, parts: Parts): void {
    const [part = ""] = parts.values();
    const tensor = weightOf(module, this.#base.tensors);
    if (tensor === HEAD && this.#tied !== undefined) throw this.#untied(part);
    if (!this.#config.isTarget(module)) throw this.#fault(untargeted(part, this.#config));
    const isEmbedding = parts.has("lora_embedding_A");
    const [a, b] = isEmbedding ? ["lora_embedding_A", "lora_embedding_B"] : ["lora_A", "lora_B"];
    const [first, second] = [this.#partOf(module, parts, a), this.#partOf(module, parts, b)];
    const isTransposed = isEmbedding || CONV1D_TYPES.has(this.#base.modelType);
    const outputs = this.#checkMatrices(module, { tensor, first, second, isTransposed });
    const magnitude = this.#magnitudeOf(module, parts, outputs);
    const scale = this.#config.scaleOf(module);
    this.#changeOf(tensor).products.push({
      a: first.name,
      b: second.name,
      scale,
      isTransposed,
      isRoundedFirst: isEmbedding && magnitude === undefined,
      ...(magnitude === undefined ? {} : { magnitude }),
    });
    const bias = parts.get("lora_B.bias");
    if (bias !== undefined) this.#addBias(`${module}.bias`, bias, scale);
  }

  /**
   * Refuses what would part an embedding from the head that it is, as `modules_to_save` do in peft unless both are there, or
   * what was trained as a change of the head alone. A low-rank change of the embedding is the head's in peft, too.
   */
  checkTies(): void {
    const { replacement, twin, products = [] } = this.byTensor.get(this.#tied ?? "") ?? {};
    if ((replacement !== undefined) === (twin !== undefined)) return;
    if (replacement !== undefined && products.length > 0) return;
    throw this.#untied(replacement ?? twin ?? "");
  }

  get #tied(): string | undefined {
    return tiedEmbedding(this.#base.tensors);
  }

  #untied(name: string): UserError {
    return this.#fault(`${show(name)}: head and embedding of the base are one, and would be so no more; ${UNTIE}`);
  }

  /** How many outputs the module has. */
  #checkMatrices(module: string, { tensor, first, second, isTransposed }: Matrices): number {
    const expected = this.#shapeIn(tensor, first.name);
    const [rank = 0, inputs = 0] = first.shape;
    const [outputs = 0, inner = 0] = second.shape;
    if (first.shape.length !== 2 || second.shape.length !== 2 || inner !== rank)
      throw this.#fault(`${show(second.name)}: expected shape [out, ${rank}], found [${second.shape.join(", ")}]`);
    this.#expectShape(first.name, isTransposed ? [inputs, outputs] : [outputs, inputs], expected, isOfTokens(tensor));
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
    const change = this.byTensor.get(tensor) ?? { products: [] };
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

  #expectShape(name: string, found: Shape, expected: Shape, ofTokens = false): void {
    const fault = shapeFault(found, expected, { isOfTokens: ofTokens });
    if (fault !== undefined) throw this.#fault(`${show(name)}: ${fault}`);
  }

  #fault(text: string): UserError {
    return adapterFault(this.#config, text);
  }
}
