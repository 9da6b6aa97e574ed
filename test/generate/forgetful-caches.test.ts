import { expect, test } from "vitest";
import { noticeOfForgetfulCaches } from "../../src/generate/forgetful-caches.ts";
import { openModel } from "../../src/model/open-model.ts";
import { tinyConfig } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";

function notice(config: Readonly<Record<string, unknown>>): string | undefined {
  return noticeOfForgetfulCaches(config, openModel({ folder: "", config }, "f32"));
}

const gemma = { model_type: "gemma", hidden_act: "gelu" };
const full = ["full_attention", "full_attention"];

// Which of these have other greedy texts in transformers 5.24, its `generate` told; nobody's log-likelihoods differ.
test.each([
  [{ sliding_window: 4 }, "sliding_window 4"],
  [{ attention_chunk_size: 4, sliding_window: null }, "attention_chunk_size 4"],
  [{ sliding_window: 4, layer_types: ["full_attention", "sliding_attention"] }, "sliding_window 4"],
  [{ ...gemma, sliding_window: 4 }, "sliding_window 4"],
  [{ model_type: "mistral", sliding_window: null, attention_chunk_size: 4 }, "attention_chunk_size 4"],
  [{ model_type: "phi3", attention_chunk_size: 4 }, "attention_chunk_size 4"],
])("of %j: its texts are others in transformers", (fields, named) => {
  expect(notice(tinyConfig({ config: fields }))).toContain(`config.json: ${named}: not followed here`);
});

test("of a T5 with a window: its texts are others in transformers", () => {
  expect(notice(tinyT5Config({ sliding_window: 4 }))).toContain("config.json: sliding_window 4: not followed here");
});

test.each([
  [{}],
  [{ sliding_window: null }],
  [{ sliding_window: 4, attention_chunk_size: 4, layer_types: full }],
  [{ sliding_window: 1 << 30 }],
  [{ model_type: "mistral", sliding_window: 4 }],
  [{ model_type: "mistral", sliding_window: 4, layer_types: ["full_attention", "sliding_attention"] }],
  [{ model_type: "phi3", sliding_window: 4 }],
  [{ model_type: "qwen2", sliding_window: 4, use_sliding_window: false }],
  [{ model_type: "gemma2", sliding_window: 4 }],
])("is none of %j: they are the same", (fields) => {
  expect(notice(tinyConfig({ config: fields }))).toBeUndefined();
});
