import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { writeCheckpoint } from "../../src/checkpoint/write-checkpoint.ts";
import { withMembers } from "../../src/files/json-members.ts";
import type { StackRecipe } from "../../src/merge/recipe.ts";
import { restackedFields } from "../../src/model/restacked-config.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import type { TinyFamily } from "./tiny-family.ts";

/** Such as `a0 b2*0.7`: layer 0 of a, then layer 2 of b times 0.7. */
export function stackOf(text: string, rest = "base"): StackRecipe {
  const layers = text.split(" ").map((part) => {
    const [, model = "", layer, scale = "1"] = /^([a-z]+)(\d+)(?:\*(.+))?$/.exec(part) ?? [];
    return { model, layer: Number(layer), scale: Math.fround(Number(scale)) };
  });
  return { method: "stack", layers, rest };
}

/** Writes a stack as a folder of its own: layers copied under their new numbers, with what they add times their scale. */
export async function writeStack(
  folder: string,
  family: Pick<TinyFamily, "checkpoints" | "model">,
  { layers, rest }: StackRecipe,
): Promise<string> {
  const { checkpoints, model } = family;
  const tensors = new Map<string, { readonly from: Checkpoint; readonly name: string; readonly scale: number }>();
  for (const name of checkpoints.get(rest)!.tensors.keys())
    if (!name.startsWith("model.layers.")) tensors.set(name, { from: checkpoints.get(rest)!, name, scale: 1 });
  for (const [i, { model: parent, layer, scale }] of layers.entries()) {
    const prefix = `model.layers.${layer}.`;
    const from = checkpoints.get(parent)!;
    for (const name of from.tensors.keys()) {
      if (!name.startsWith(prefix)) continue;
      const own = /\.(o_proj|down_proj)\.(weight|bias)$/.test(name) ? scale : 1;
      tensors.set(`model.layers.${i}.${name.slice(prefix.length)}`, { from, name, scale: own });
    }
  }
  const specs = Array.from(tensors, ([name, { from, name: own }]) => ({ ...from.tensors.get(own)!, name }));
  await mkdir(folder, { recursive: true });
  await writeCheckpoint(folder, specs, async (name) => {
    const { from, name: own, scale } = tensors.get(name)!;
    const { dtype } = from.tensors.get(own)!;
    const values = toFloat32(await from.read(own), dtype);
    return fromFloat32(
      values.map((value) => value * scale),
      dtype,
    );
  });
  const base = checkpoints.get("base")!;
  const fields = restackedFields(base, model.restacked!(layers.map(({ layer }) => layer)));
  await writeFile(join(folder, "config.json"), withMembers(JSON.stringify(base.config), fields));
  return folder;
}
