import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withoutMembers } from "../../src/files/json-members.ts";

describe("withoutMembers", () => {
  test("leaves the text of all else as it is", () => {
    const text = `{
  "rms_norm_eps": 1e-05,
  "quantization_config": {"a": [1, {"b": "}\\""}], "c": "\\\\"},
  "rope_theta": 10000.0
}
`;
    expect(withoutMembers(text, new Set(["quantization_config"]))).toBe(`{
  "rms_norm_eps": 1e-05,
  "rope_theta": 10000.0
}
`);
    expect(withoutMembers('{"a":1, "b":2}', new Set(["a", "b"]))).toBe("{}");
    expect(withoutMembers('{ "\\u0061": 1, "a": 2, "b": "a" }', new Set(["a"]))).toBe('{ "b": "a" }');
    expect(withoutMembers(" { } ", new Set(["a"]))).toBe(" {} ");
  });

  test("removes these members from any object, and no other", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 2, "\t"),
        fc.func(fc.boolean()),
        (value, indent, isKept) => {
          const object = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
          const dropped = new Set(Object.keys(object).filter((key) => !isKept(key)));
          const rest = Object.fromEntries(Object.entries(object).filter(([key]) => !dropped.has(key)));
          expect(withoutMembers(`\n${JSON.stringify(object, null, indent)}\n`, dropped)).toBe(
            `\n${JSON.stringify(rest, null, indent)}\n`,
          );
        },
      ),
    );
  });
});
