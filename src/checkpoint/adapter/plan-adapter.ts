import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { sameShape, type Shape } from "../../tensor/dtype.ts";
import type { TensorSpec } from "../safetensors-header.ts";
import type { AdapterConfig } from "./adapter-config.ts";

/** What an adapter does to one tensor of its base, by the names of the adapter's tensors. */
export interface TensorChange {
  /** Stands in the place of the base's, before anything is added. */
  replacement?: string;
  product?: LowRankChange;
  /** Of a bias, which the scaled bias of the second matrix is added to. */
  bias?: { readonly tensor: string; readonly scale: number };
}

/** `W + scale * B A`, or its transpose, and what becomes of its length. */
export interface LowRankChange {
  /** Of shape [rank, in]. */
  readonly a: string;
  /** Of shape [out, rank]. */
  readonly b: string;
  readonly scale: number;
  /** Whether the base holds [in, out], as embeddings and GPT-2's Conv1D do. */
  readonly isTransposed: boolean;
  /** Whether the product is rounded to the base's type before it is added, as peft does of embeddings. */
  readonly isRoundedFirst: boolean;
  /** DoRA: the length that each output is to have. */
  readonly magnitude?: string;
}

/** Tensors by name, be they of a base or of an adapter. */
export type Specs = ReadonlyMap<string, Pick<TensorSpec, "shape">>;

/** Families whose linear layers are Conv1D, which holds its weight as [in, out]. */
const CONV1D_TYPES: ReadonlySet<unknown> = new Set(["gpt2", "openai-gpt"]);

const LORA =
  /^(?<module>.*)\.(?<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\.default)?(?:\.(?<field>weight|bias))?$/;

/** The tensors of one module of an adapter, by part. */
type Parts = Map<string, string>;

/** One of them. */
type Part = Pick<TensorSpec, "name" | "shape">;

/** Tensors of a base, and its `model_type`. */
export interface BaseSpecs {
  readonly tensors: Specs;
  readonly modelType: unknown;
}

/**
 * What an adapter does to which tensors of its base. Tensors are believed rather than `target_modules`, which may be a list, a
 * pattern or a word. A UserError where anything in the adapter is not understood or does not fit the base.
 */
export function planAdapter(
  config: AdapterConfig,
  { tensors, others }: { readonly tensors: Specs; readonly others: ReadonlyMap<string, string> },
  base: BaseSpecs,
): ReadonlyMap<string, TensorChange> {
  const [other] = others;
  if (other) throw faultOf(config, `${show(other[0])}: expected the dtype F32, F16 or BF16, found ${other[1]}`);
  const changes = new Changes(config, tensors, base);
  const modules = new Map<string, Parts>();
  for (const [name, { shape }] of tensors) {
    const { module, part = "", field = "weight" } = LORA.exec(name)?.groups ?? {};
    if (module === undefined) changes.addReplacement(name, shape);
    else partsOf(modules, plainName(module)).set(field === "bias" ? `${part}.bias` : part, name);
  }
  for (const [module, parts] of modules) changes.addProduct(module, parts);
  return changes.byTensor;
}

function partsOf(modules: Map<string, Parts>, module: string): Parts {
  const parts = modules.get(module) ?? new Map<string, string>();
  modules.set(module, parts);
  return parts;
}

function faultOf({ name }: AdapterConfig, text: string): UserError {
  return new UserError(`${name}: the adapter: ${text}`);
}

/** The changes of one adapter, each checked against its base before it is added. */
class Changes {
  readonly byTensor = new Map<string, TensorChange>();
  readonly #config: AdapterConfig;
  readonly #adapter: Specs;
  readonly #base: BaseSpecs;

  constructor(config: AdapterConfig, adapter: Specs, base: BaseSpecs) {
    this.#config = config;
    this.#adapter = adapter;
    this.#base = base;
  }

  addReplacement(name: string, shape: Shape): void {
    const tensor = plainName(name);
    this.#expectShape(name, shape, this.#shapeIn(tensor, name));
    // peft unties the two: it replaces the embedding and keeps the head.
    if (name.endsWith(".embed_tokens.weight") && !this.#base.tensors.has("lm_head.weight"))
      throw this.#fault(`modules_to_save: ${show(tensor)} is also the head of the base, and would be so no more`);
    this.#changeOf(tensor).replacement = name;
  }

  addProduct(module: string, parts: Parts): void {
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
    return faultOf(this.#config, text);
  }
}

/** The name of a module or tensor in the base. */
function plainName(name: string): string {
  return name
    .replace(/^base_model\.model\./, "")
    .replace(/\.modules_to_save(?:\.default)?(?=\.)/, "")
    .replace(/\.base_layer(?=\.|$)/, "");
}
