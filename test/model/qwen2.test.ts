import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import type { Model } from "../../src/model/architecture.ts";
import { tinyModel } from "../tiny-model.ts";

const withFields = (config: Readonly<Record<string, unknown>>): Model => tinyModel({ config });

describe("Qwen2", () => {
  const sliding = { model_type: "qwen2", num_hidden_layers: 3, use_sliding_window: true, sliding_window: 7 };
  test.each([
    { fields: {}, windows: [7, 7, 7], maxWindowLayers: 0 },
    { fields: {}, windows: [null, 7, 7], maxWindowLayers: 1 },
    { fields: {}, windows: null, maxWindowLayers: undefined },
    { fields: { use_sliding_window: false }, windows: null, maxWindowLayers: 0 },
    { fields: { sliding_window: null }, windows: null, maxWindowLayers: 0 },
    {
      fields: { layer_types: ["sliding_attention", "full_attention", "sliding_attention"] },
      windows: [7, null, 7],
      maxWindowLayers: 1,
    },
  ])("a Qwen2 with $fields has the windows $windows", ({ fields, windows, maxWindowLayers }) => {
    const model = withFields({ ...sliding, max_window_layers: maxWindowLayers, ...fields });
    const all = windows?.every((window) => window === windows[0]) ? windows[0] : windows;
    expect(JSON.stringify(model.identity["sliding_window"])).toBe(JSON.stringify(all));
    expect(Object.values(model.windows)).toEqual([...new Set(windows ?? [null])].map((window) => window ?? Infinity));
  });

  test.each([
    [{ layer_types: ["full_attention"] }, "layer_types: expected one for each of the 3 layers, found 1"],
    [
      { layer_types: Array.from({ length: 3 }, () => "sliding_attention"), use_sliding_window: false },
      "layer_types: expected full_attention alone where no sliding_window is used, found sliding_attention",
    ],
    [
      { layer_types: ["full_attention", "chunked_attention", "full_attention"] },
      `layer_types[1]: expected full_attention or sliding_attention, found "chunked_attention"`,
    ],
  ])("refuses a Qwen2 with %j", (fields, sentence) => {
    const open = (): unknown => withFields({ ...sliding, ...fields });
    expect(open).toThrow(new UserError(`config.json: ${sentence}; this model cannot be run`));
  });
});
