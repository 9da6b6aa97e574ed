import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withMembers, withoutMembers } from "../../src/files/json-members.ts";

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

describe("withMembers", () => {
  test("leaves the text of all else as it is, and puts what is new behind it", () => {
    const text = `{
  "rms_norm_eps": 1e-05,
  "layers": 2,
  "rope_theta": 10000.0
}
`;
    expect(withMembers(text, { layers: 3, types: ["a", "b"] })).toBe(`{
  "rms_norm_eps": 1e-05,
  "layers": 3,
  "rope_theta": 10000.0,
  "types": [
    "a",
    "b"
  ]
}
`);
    expect(JSON.parse(withMembers(" { } ", { a: 1 }))).toEqual({ a: 1 });
  });

  test("gives any object these members", () => {
    const values = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(values, values, fc.constantFrom(undefined, 2, "\t"), (before, given, indent) => {
        const [object, changes] = [before, given].map(
          (value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>,
        );
        const changed: unknown = JSON.parse(withMembers(JSON.stringify(object, null, indent), changes!));
        expect(changed).toEqual({ ...object, ...changes });
      }),
    );
  });
});
