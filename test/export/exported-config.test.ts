import { describe, expect, test } from "vitest";
import { exportedConfig } from "../../src/export/exported-config.ts";

function exported(fields: object, name = "config.json"): ReturnType<typeof exportedConfig> {
  return exportedConfig(JSON.stringify(fields), name, "bf16");
}

describe("exportedConfig", () => {
  test.each(["quantization_config", "compression_config"])("leaves out %s, and says so", (field) => {
    const { text, notices } = exported({ a: 1, [field]: { quant_method: "gptq" }, torch_dtype: "float16" });
    expect(JSON.parse(text)).toEqual({ a: 1, torch_dtype: "float16" });
    expect(notices).toEqual([
      `config.json of the base has ${field}, but its weights are plain bf16; the export leaves it out`,
    ]);
  });

  test("leaves everything else as it is, to the last byte", () => {
    const text = '{"rms_norm_eps": 1e-05, "rope_theta": 1e6,\n "nested": {"quantization_config": null}}\n';
    expect(exportedConfig(text, "config.json", "f32")).toEqual({ text, notices: [] });
  });

  test.each(["/home/me/base", "~/base", "./base", "..\\base", "C:\\base", "C:/base"])(
    "leaves out that the base was in %s, and not where it is on the Hub",
    (path) => {
      expect(exported({ a: 1, _name_or_path: path })).toEqual({
        text: '{"a":1}',
        notices: ["config.json of the base has a path of a machine in _name_or_path; the export leaves it out"],
      });
      const tokenizer = { name_or_path: "org/name", tokenizer_file: path, special_tokens_map_file: null };
      expect(exported(tokenizer, "tokenizer_config.json").text).toBe(
        '{"name_or_path":"org/name","special_tokens_map_file":null}',
      );
    },
  );
});
