import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { AdapterConfig } from "./adapter-config.ts";
import { byReading } from "./embeddings.ts";
import type { TensorChange } from "./tensor-change.ts";
import { adapterFault, bothNamed } from "./adapter-faults.ts";
import { type BaseSpecs, Changes, type Parts, type Specs } from "./tensor-changes.ts";

const LORA =
  /^(?<module>.*)\.(?<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\.default)?(?:\.(?<field>weight|bias))?$/;

/**
 * What an adapter does to which tensors of its base, as its own tensors say it. A UserError where anything in the adapter is not understood or does not fit the base.
 */
export function planAdapter(
  config: AdapterConfig,
  { tensors, others }: { readonly tensors: Specs; readonly others: ReadonlyMap<string, string> },
  base: BaseSpecs,
): ReadonlyMap<string, TensorChange> {
  if (tensors.size + others.size === 0)
    throw adapterFault(config, "expected tensors, found none; was it saved as a whole?");
  const [other] = others;
  if (other) throw adapterFault(config, `${show(other[0])}: expected the dtype F32, F16 or BF16, found ${other[1]}`);
  const changes = new Changes(config, tensors, base);
  const modules = new Map<string, Parts>();
  for (const [name, { shape }] of tensors) {
    if (isCopy(name, tensors)) continue;
    const { module, part = "", field = "weight" } = LORA.exec(name)?.groups ?? {};
    if (module === undefined) changes.addReplacement(plainName(name), name, shape);
    else addPart(config, partsOf(modules, plainName(module)), field === "bias" ? `${part}.bias` : part, name);
  }
  const ordered = Array.from(modules).toSorted(([first], [second]) => byReading(first, second));
  for (const [module, parts] of ordered) changes.addProduct(module, parts);
  changes.checkTies();
  return changes.byTensor;
}

/** Whether peft wrote it beside a module that was saved: as it was before, or once more, of which it reads neither. */
function isCopy(name: string, tensors: Specs): boolean {
  const saved = name.replace(/\.(?:original_module|modules_to_save)(?:\.default)?(?=\.)/, "");
  return saved !== name && tensors.has(saved);
}

function partsOf(modules: Map<string, Parts>, module: string): Parts {
  const parts = modules.get(module) ?? new Map<string, string>();
  modules.set(module, parts);
  return parts;
}

function addPart(config: AdapterConfig, parts: Parts, part: string, name: string): void {
  const known = parts.get(part);
  if (known !== undefined) throw adapterFault(config, bothNamed(known, name));
  parts.set(part, name);
}

/** The name of a module or tensor in the base. */
function plainName(name: string): string {
  return name
    .replace(/^base_model\.model\./, "")
    .replace(/\.modules_to_save(?:\.default)?(?=\.)/, "")
    .replace(/\.base_layer(?=\.|$)/, "");
}
