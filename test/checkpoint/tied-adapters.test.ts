import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkTwins, openAdapter } from "../../src/checkpoint/adapter/open-adapter.ts";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { refusal } from "../refusal.ts";
import { type AdapterCase, adapterCases, adapterFolders } from "./adapter-folders.ts";
import { editTensors, type RawTensors } from "./edit-tensors.ts";

const { "a tied embedding that was saved": saved, "a head": head, "an encoder and a decoder": t5 } = adapterCases;

function without(tensors: RawTensors, name: string): RawTensors {
  return Object.fromEntries(Object.entries(tensors).filter(([other]) => other !== name));
}

describe("an adapter of a base whose embedding is its head", () => {
  const apart =
    "head and embedding of the base are one, and would be so no more; save the base with both of them and tie_word_embeddings false, and name that as the base";
  const [EMBEDDING, HEAD] = ["base_model.model.model.embed_tokens", "base_model.model.lm_head"];

  test.each<[string, AdapterCase, (tensors: RawTensors) => RawTensors, string]>([
    ["the embedding alone", saved!, (tensors) => without(tensors, `${HEAD}.weight`), `${EMBEDDING}.weight`],
    ["the head alone", saved!, (tensors) => without(tensors, `${EMBEDDING}.weight`), `${HEAD}.weight`],
    ["a change of the head", head!, (tensors) => tensors, `${HEAD}.lora_A.weight`],
  ])("is refused where it would part the two: %s", async (_, adapterCase, edit, name) => {
    const { base, adapter } = await adapterFolders(adapterCase, "f32", { on: "tied" });
    editTensors(join(adapter, "adapter_model.safetensors"), edit);
    expect(await refusal(Checkpoint.open(adapter, { base }))).toBe(`${adapter}: the adapter: '${name}': ${apart}`);
  });

  test("is refused where it would part them in a T5", async () => {
    const { base, adapter } = await adapterFolders(t5!, "f32");
    editTensors(join(adapter, "adapter_model.safetensors"), (tensors) => ({
      ...tensors,
      [`${HEAD}.weight`]: { dtype: "F32", shape: [11, 8], bytes: new Uint8Array(4 * 11 * 8) },
    }));
    expect(await refusal(Checkpoint.open(adapter, { base }))).toBe(
      `${adapter}: the adapter: '${HEAD}.weight': ${apart}`,
    );
  });

  test("is refused where it would give the stacks of a T5 an embedding each", async () => {
    const { base, adapter } = await adapterFolders(t5!, "f32");
    const name = "base_model.model.encoder.embed_tokens.weight";
    editTensors(join(adapter, "adapter_model.safetensors"), (tensors) => ({
      ...tensors,
      [name]: { dtype: "F32", shape: [11, 8], bytes: new Uint8Array(4 * 11 * 8) },
    }));
    expect(await refusal(Checkpoint.open(adapter, { base }))).toBe(
      `${adapter}: the adapter: '${name}': encoder and decoder of the base have one embedding, and would have two; train a low-rank change of shared instead`,
    );
  });

  test("is refused where it has other values for the two", async () => {
    const { base, adapter } = await adapterFolders(saved!, "f32", { on: "tied" });
    const check = async (): Promise<void> => {
      await using full = await Checkpoint.open(base);
      const { changes, file } = await openAdapter(adapter, new Set(readdirSync(adapter)), {
        tensors: full.tensors,
        modelType: "llama",
      });
      await file[Symbol.asyncDispose]();
      await checkTwins(adapter, new Set(readdirSync(adapter)), changes);
    };
    await check();
    editTensors(join(adapter, "adapter_model.safetensors"), (tensors) => {
      const own = tensors[`${HEAD}.weight`]!;
      return {
        ...tensors,
        [`${HEAD}.weight`]: { ...own, bytes: own.bytes.map((byte, i) => (i === 2 ? byte ^ 1 : byte)) },
      };
    });
    expect(await refusal(check())).toBe(
      `${adapter}/adapter_model.safetensors: tensor ${HEAD}.weight: expected the values of ${EMBEDDING}.weight, since the two are one in the base, found others; save the base with both of them and tie_word_embeddings false, and name that as the base`,
    );
  });
});
