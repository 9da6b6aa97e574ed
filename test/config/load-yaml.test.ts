import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { exactlyOneKey } from "../../src/config/exactly-one-key.ts";
import { loadYaml, parseYaml, type YamlReading } from "../../src/config/load-yaml.ts";
import { ConfigError, UserError } from "../../src/errors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const schema = z.strictObject({
  layersPerGroup: z.int().min(1),
  method: z.enum(["linear", "ties"]).optional(),
  names: z.array(z.string().min(1)).max(2).optional(),
  pair: z.tuple([z.number(), z.number()], "a list of two numbers").optional(),
  depth: z.union([z.literal("constant"), exactlyOneKey({ dct: z.int().max(9), knots: z.int() })]).optional(),
  nested: z.strictObject({ on: z.boolean(), share: z.number().positive().lt(1).default(0.5) }).optional(),
  tasks: z.record(z.string().regex(/^[a-z]+$/, "a name of letters"), z.number()).optional(),
});

function errorOf(text: string, reading: YamlReading = {}, file = "space.yaml"): string {
  try {
    parseYaml(text, file, schema, reading);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  return "no error";
}

describe("loadYaml", () => {
  test("returns what the file says, with the schema's defaults", () => {
    const text = "# first\nlayersPerGroup: 2\nnested: { on: true }\ndepth: { dct: 3 }\n";
    expect(parseYaml(text, "space.yaml", schema)).toEqual({
      layersPerGroup: 2,
      nested: { on: true, share: 0.5 },
      depth: { key: "dct", value: 3 },
    });
  });

  test.each([
    ["\n\nlayersPerGrop: 4", '3:1: unknown key "layersPerGrop"; did you mean "layersPerGroup"?'],
    [
      "layersPerGroup: 1\nzebra: 4",
      '2:1: unknown key "zebra"; expected layersPerGroup, method, names, pair, depth, nested or tasks',
    ],
    ["layersPerGroup: 1\nnested:\n  on: true\n  sharee: 1", '4:3: nested: unknown key "sharee"; did you mean "share"?'],
    ["layersPerGroup: two", '1:17: layersPerGroup: expected a number, found "two"'],
    ["layersPerGroup: 2.5", "1:17: layersPerGroup: expected a whole number, found 2.5"],
    ["layersPerGroup: 0", "1:17: layersPerGroup: expected at least 1, found 0"],
    ["layersPerGroup:", "1:16: layersPerGroup: expected a number, found nothing"],
    ["method: ties", '1:1: missing key "layersPerGroup": expected a number'],
    ["layersPerGroup: 1\nnested:\n  share: 0.1", '3:3: nested: missing key "on": expected true or false'],
    ["layersPerGroup: 1\nmethod: tiez", '2:9: method: expected linear or ties, found "tiez"; did you mean "ties"?'],
    ["layersPerGroup: 1\nnames: [a, b, c]", "2:8: names: expected at most 2 items, found a list of 3"],
    ["layersPerGroup: 1\nnames:\n  - a\n  - 7", "4:5: names[1]: expected text, found 7"],
    ["layersPerGroup: 1\nnames: ['']", '2:9: names[0]: expected at least 1 character, found ""'],
    ["layersPerGroup: 1\npair: [1]", "2:7: pair: expected a list of two numbers, found a list of 1"],
    ["layersPerGroup: 1\nnested: { on: true, share: 1 }", "2:28: nested.share: expected less than 1, found 1"],
    ["layersPerGroup: 1\ndepth: 4", "2:8: depth: expected constant or a mapping, found 4"],
    [
      "layersPerGroup: 1\ndepth: constnt",
      '2:8: depth: expected constant or a mapping, found "constnt"; did you mean "constant"?',
    ],
    ["layersPerGroup: 1\ndepth: { dtc: 1 }", '2:10: depth: unknown key "dtc"; did you mean "dct"?'],
    [
      "layersPerGroup: 1\ndepth: { dct: 1, knots: 2 }",
      "2:8: depth: expected exactly one key, dct or knots; found dct and knots",
    ],
    ["layersPerGroup: 1\ndepth: {}", "2:8: depth: expected exactly one key, dct or knots; found none"],
    ["layersPerGroup: 1\ndepth: { dct: 10 }", "2:15: depth.dct: expected at most 9, found 10"],
    ["layersPerGroup: 1\ntasks: { Bad1: 2 }", '2:16: tasks.Bad1: expected a name of letters, found "Bad1"'],
    ["- 1", "1:1: expected a mapping, found a list of 1"],
  ])("says where and what is wrong with %j", (text, message) => {
    expect(errorOf(text)).toBe(`space.yaml:${message}`);
  });

  test.each([
    ["layersPerGroup: 1\nlayersPerGroup: 2", "2:1: Map keys must be unique"],
    ["layersPerGroup: 1\ntasks: { on: 1, 'on': 2 }", "2:17: Map keys must be unique"],
    ["layersPerGroup: 1\ntasks: { 1: 1, '1': 2 }", "2:16: Map keys must be unique"],
    ["layersPerGroup: 1\nlayersPerGroup: 2\nmethod: [", "2:1: Map keys must be unique"],
    ["layersPerGroup: [1", "1:19: Flow sequence in block collection"],
    ["layersPerGroup: 1\n---\nmethod: ties", "2:1: expected one YAML document, found a second one"],
    ["layersPerGroup: !!env 3", "1:17: Unresolved tag"],
    ["layersPerGroup: *one", "1:17: Unresolved alias"],
    ["[".repeat(5000), "nested too deeply"],
  ])("turns a fault of syntax into an error at its place: %.30j", (text, message) => {
    expect(errorOf(text)).toContain(message);
  });

  test("takes a moment for a file of as many keys as fit", () => {
    const keys = Array.from({ length: 60_000 }, (_, i) => `key${i}: 1\n`).join("");
    expect(errorOf(keys)).toMatch(/^space\.yaml:1:1: unknown key "key0"/);
    expect(errorOf(keys)).toMatch(/\nspace\.yaml: and 59981 more$/);
    expect(errorOf(`${keys}key7: 1\n`)).toBe("space.yaml:60001:1: Map keys must be unique");
  });

  test("refuses a key that zod would leave out, wherever it is", () => {
    const sentence = 'a key cannot be named "__proto__"; give it another name';
    expect(errorOf("layersPerGroup: 1\n__proto__: 2")).toBe(`space.yaml:2:1: ${sentence}`);
    expect(errorOf("layersPerGroup: 1\ntasks: { on: 1, __proto__: 2 }")).toBe(`space.yaml:2:17: ${sentence}`);
    expect(errorOf('layersPerGroup: 1\ntasks: { "\\u005f_proto__": 2 }')).toBe(`space.yaml:2:10: ${sentence}`);
    expect(errorOf("layersPerGroup: 1\nmore: [{ a: { __proto__: 2 } }]")).toBe(`space.yaml:2:15: ${sentence}`);
  });

  test("reports all faults, in the order of the text", () => {
    const text = "nested: { on: 1 }\nmethod: 4\nzebra: 1\n";
    const error = (file: string): string => errorOf(text, {}, file);
    expect(error("a.yaml").split("\n")).toEqual([
      'a.yaml:1:1: missing key "layersPerGroup": expected a number',
      "a.yaml:1:15: nested.on: expected true or false, found 1",
      "a.yaml:2:9: method: expected linear or ties, found 4",
      'a.yaml:3:1: unknown key "zebra"; expected layersPerGroup, method, names, pair, depth, nested or tasks',
    ]);
  });

  test("leaves out what follows from a misspelt key, and the parser's errors after its first", () => {
    expect(errorOf("method: 4\nlayersPerGrup: 0")).toBe(
      'space.yaml:1:9: method: expected linear or ties, found 4\nspace.yaml:2:1: unknown key "layersPerGrup"; did you mean "layersPerGroup"?',
    );
    expect(errorOf("a: [1\nb: {2\nc: 'x\n")).not.toContain("\n");
  });

  test("keeps each fault on a line of its own, whatever the file and its keys are called", () => {
    const told = errorOf('"a\\nb.yaml:1:1: x": 1\nlayersPerGroup: 1', {}, "c\nd.yaml");
    expect(told).toMatch(/^c\\u000Ad\.yaml:1:1: unknown key "a\\u000Ab\.yaml:1:1: x"; /);
    expect(told).not.toContain("\n");
    expect(errorOf(`layersPerGroup: 1\n${"k".repeat(10_000)}: 1`).length).toBeLessThan(600);
  });

  test("follows aliases to the place of the fault, but not into an explosion", () => {
    expect(errorOf("tasks: &t { on: 1 }\nnested: *t\nlayersPerGroup: 1")).toContain(
      "1:17: nested.on: expected true or false",
    );
    const laughs = ["a0: &a0 [x,x]", ...Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i},*a${i}]`)];
    expect(errorOf(laughs.join("\n"))).toMatch(/^space\.yaml:2:\d+: aliases stand for more than 100 copies/);
  });

  test("merges what keys of YAML 1.1 say is merged, where the file is such a one", () => {
    const text =
      "layersPerGroup: 1\ntasks: &t { on: 1, off: 2 }\nnested: { <<: { on: true, share: 0.25 }, share: 0.75 }\n";
    expect(parseYaml(text, "space.yaml", schema, { asYaml11: true })).toMatchObject({
      nested: { on: true, share: 0.75 },
    });
    expect(errorOf(text)).toContain('space.yaml:3:11: nested: unknown key "<<"');
    const laughs = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} { <<: [*a${i}, *a${i}] }`);
    expect(errorOf(["a0: &a0 { x: 1 }", ...laughs].join("\n"), { asYaml11: true })).toContain(
      "aliases stand for more than 100 copies",
    );
  });

  test.each([
    ["nested: { <<: 5 }", ":2:11: <<: expected a mapping, an alias of one, or a list of these"],
    ["nested: { <<: [{}, 5] }", ":2:11: <<: expected a mapping, an alias of one, or a list of these"],
    ["nested: { <<: { __proto__: {} } }", 'a key cannot be named "__proto__"'],
    ["tasks: { a: 010 }", ":2:13: 010 is 8 in YAML 1.1, by which others read this file, and 10 since; write 8 or 10"],
    ["tasks: { a: -010 }", "-010 is -8 in YAML 1.1"],
    [
      "tasks: { a: 1_000 }",
      '1_000 is 1000 in YAML 1.1, by which others read this file, and a text since; write 1000 or "1_000"',
    ],
    ["tasks: { a: -1_0.5 }", "-1_0.5 is -10.5 in YAML 1.1"],
    [
      "tasks: { a: 0o10 }",
      '0o10 is a text in YAML 1.1, by which others read this file, and 8 since; write "0o10" or 8',
    ],
    ["tasks: { a: 0b11 }", "0b11 is 3 in YAML 1.1"],
    ["tasks: { a: 1:30 }", "1:30 is 90 in YAML 1.1"],
    ["tasks: { a: -1_0:30.5_0 }", "-1_0:30.5_0 is -630.5 in YAML 1.1"],
    ["tasks: { a: 0:30.5 }", "0:30.5 is 30.5 in YAML 1.1"],
    ["tasks: { a: .5_0e+1 }", ".5_0e+1 is 5 in YAML 1.1"],
    ["nested: &n { <<: *n }", ":2:18: *n is part of what it stands for, and would have no end"],
    ["nested: &n { on: [*n] }", ":2:19: *n is part of what it stands for, and would have no end"],
  ])("refuses as YAML 1.1: %s", (line, message) => {
    expect(errorOf(`layersPerGroup: 1\n${line}`, { asYaml11: true })).toContain(message);
  });

  test("takes numbers that are the same in every YAML", () => {
    const text = 'layersPerGroup: 07\ntasks: { a: 0, b: 00, c: 0.5, d: 010.5, e: 09 }\nnames: ["010"]';
    expect(parseYaml(text, "space.yaml", schema, { asYaml11: true }).tasks).toEqual({
      a: 0,
      b: 0,
      c: 0.5,
      d: 10.5,
      e: 9,
    });
    expect(parseYaml("layersPerGroup: 010", "space.yaml", schema).layersPerGroup).toBe(10);
    // A text in every YAML, as PyYAML 6 has them too.
    const texts = "layersPerGroup: 7\nnames: [1:75.5, 1:3_0]";
    expect(parseYaml(texts, "space.yaml", schema, { asYaml11: true }).names).toEqual(["1:75.5", "1:3_0"]);
  });

  test("names a file that is missing, empty, too large or not text", async () => {
    const path = join(await temporaryFolder(), "a.yaml");
    const load = (): Promise<unknown> => loadYaml(path, schema);
    await expect(load()).rejects.toThrow(new UserError(`${path}: no such file or directory; expected a YAML file`));
    await writeFile(path, "# nothing\n");
    await expect(load()).rejects.toThrow(new UserError(`${path} is empty: expected a mapping of keys to values`));
    await writeFile(path, " ".repeat((1 << 20) + 1));
    await expect(load()).rejects.toThrow(`${path}: expected a YAML file, found more than 1 MiB`);
    await writeFile(path, Uint8Array.of(0x61, 0x3a, 0x20, 0xff));
    await expect(load()).rejects.toThrow(`${path}: expected a YAML file, found bytes that are not UTF-8`);
    await writeFile(path, "layersPerGroup: -1");
    await expect(load()).rejects.toThrow(ConfigError);
  });
});
