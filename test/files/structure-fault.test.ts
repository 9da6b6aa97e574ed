import { describe, expect, test } from "vitest";
import { findStructureFault } from "../../src/files/structure-fault.ts";

describe("structure fault", () => {
  test.each([
    '{"a":1,"b":{"a":1,"b":[{"a":1},{"a":1}]},"c":{"a":1}}',
    '{"a":"b","b":"a"}',
    '["a","a"]',
    '{"a":"\\"a\\":","b":"{","\\\\":1,"\\"":2}',
    '{"a":"\\\\","b":1}',
  ])("is not found in %s", (text) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(findStructureFault(text, 20)).toBeUndefined();
  });

  test.each([
    ['{"a":1,"a":1}', "a"],
    ['{"a":{"b":[]},"a" \n\r\t:1}', "a"],
    ['{"x":{"a":"}","\\u0061":1}}', "a"],
    ['[{"a":1},{"b":{"c":0},"b":0}]', "b"],
    ['{"":1,"":2}', ""],
  ])("is a repeated key in %s", (text, key) => {
    expect(findStructureFault(text, 20)).toBe(`has the key '${key}' twice`);
  });

  test.each(["[[[]],[]]", '{"a":{"b":0}}', '[{"a":"{[,"},{}]'])("is one part too many in %s", (text) => {
    expect(findStructureFault(text, 4)).toBeUndefined();
    expect(findStructureFault(text, 3)).toBe("has more than 3 keys, objects and arrays");
  });
});
