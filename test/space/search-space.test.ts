import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/config/load-yaml.ts";
import { searchSpaceSchemaWith, type SearchSpace } from "../../src/space/search-space.ts";
import { loadSpace } from "../../src/space/spaces.ts";
import { mergeSpace } from "../merge-space.ts";

const shipped = join(import.meta.dirname, "../../search-spaces");

function parse(text: string): SearchSpace {
  return parseYaml(text, "space.yaml", searchSpaceSchemaWith());
}

describe("search space", () => {
  test.each([
    "global",
    "depth-curves",
    "per-layer",
    "adapters",
    "gradient",
    "linear-global",
    "task-arithmetic-tensors",
  ])("is shipped as %s", async (name) => {
    const space = mergeSpace(await loadSpace(join(shipped, `${name}.yaml`)));
    expect(space.method).toBe(name.startsWith("linear") ? "linear" : "task_arithmetic");
    const sets = space.groups === "tensors" ? undefined : space.groups.flat().toSorted();
    expect(sets).toEqual(name.endsWith("tensors") ? undefined : ["attention", "embedding", "mlp", "norm"]);
  });

  test("takes ranges and starts from the method unless it names its own", () => {
    expect(parse("{ method: linear, groups: all, depth: per-layer }")).toEqual({
      method: "linear",
      groups: [["attention", "mlp", "norm", "embedding"]],
      depth: { curve: "per-layer" },
      parameters: { weight: { range: [0, 1], start: "uniform" } },
    });
    const text =
      "{ method: task_arithmetic, groups: all, depth: { knots: 4 }, parameters: { weight: { range: [-1, 1], sigma: 0.2 } } }";
    expect(parse(text)).toMatchObject({
      depth: { curve: "knots", terms: 4 },
      parameters: { weight: { range: [-1, 1], start: 0.8, sigma: 0.2 } },
    });
  });

  test("does not begin a weighted sum at weights of 0, and a task vector's may", () => {
    const rest = "groups: all, depth: per-layer, parameters: { weight: { start: 0 } }";
    expect(() => parse(`{ method: linear, ${rest} }`)).toThrow(
      "parameters.weight.start: expected another start than 0, at which a linear merge is a model of zeros, found 0; uniform is 1 / number of experts",
    );
    expect(parse(`{ method: task_arithmetic, ${rest} }`).parameters).toMatchObject({ weight: { start: 0 } });
  });

  test("takes shares of 0, which count as equal ones, and a method's own parameters", () => {
    const rest = "groups: all, depth: constant";
    expect(parse(`{ method: nuslerp, ${rest}, parameters: { weight: { start: 0 } } }`).parameters).toMatchObject({
      weight: { start: 0 },
    });
    expect(parse(`{ method: slerp, ${rest} }`).parameters).toEqual({ t: { range: [0, 1], start: 0.5 } });
    expect(() => parse(`{ method: slerp, ${rest}, parameters: { weight: {} } }`)).toThrow(
      "parameters.weight: the method slerp has no such parameter; it has t",
    );
    expect(() => parse(`{ method: nuslerp, ${rest}, columns: true }`)).toThrow(
      "columns: the method nuslerp merges a tensor as a whole, and has no coefficients by column; leave columns out",
    );
  });

  test.each([
    [
      "groups: [[attention], [mlp, embedding]]",
      'groups: the group "norm" is missing; list each of attention, mlp, norm, embedding once',
    ],
    ["groups: tensor", 'groups: expected all or tensors or a list, found "tensor"'],
    ["groups: [[attention, mlp], [mlp, norm, embedding]]", 'the group "mlp" is listed 2 times'],
    [
      "groups: [[attention, mlp], [encoder.mlp, norm, embedding]]",
      'the group "encoder.mlp" is listed twice, as mlp and as encoder.mlp',
    ],
    ["groups: [[attention], [encoder.mlp, norm, embedding]]", 'the group "decoder.mlp" is missing'],
    [
      "groups: [[attention, heads, mlp, norm, embedding]]",
      "groups[0][1]: expected attention, mlp, norm, embedding, encoder.attention, ",
    ],
    ["depth: { dct: 1 }", "depth.dct: expected at least 2, found 1"],
    ["depth: { dct: 3, blocks: 2 }", "depth: expected exactly one key, dct, knots or blocks; found dct and blocks"],
    ["method: slurp", "method: expected linear, task_arithmetic, ties, dare_linear, dare_ties"],
    [
      "method: karcher",
      "method: the method karcher has no parameters to search; give it as one of the experiment's recipes, and search another",
    ],
    ["parameters: { wieght: {} }", 'parameters: unknown key "wieght"; did you mean "weight"?'],
    [
      "parameters: { weight: { range: [1, 0] } }",
      "parameters.weight.range: expected the lower end before the higher one, found [1,0]",
    ],
    [
      "parameters: { weight: { range: [0, 0.5] } }",
      "parameters.weight.start: expected a start in the range 0 to 0.5, found 0.8",
    ],
    [
      "parameters: { weight: { sigma: 0.9 } }",
      "parameters.weight.sigma: expected at most a third of the range 0 to 1.5, found 0.9",
    ],
    [
      "parameters: { weight: { range: [0, 1e308] } }",
      "parameters.weight.range[1]: expected at most 1000, found 1e+308",
    ],
    ["parameters: { weight: { range: [-1e308, 1e308] } }", "range[0]: expected at least -1000, found -1e+308"],
    [
      "parameters: { weight: { range: [0, 1e-320] } }",
      "range: expected ends at least 0.000001 apart, found [0,1e-320]",
    ],
    ["parameters: { weight: { range: [1, 1.0000000000000002] } }", "range: expected ends at least 0.000001 apart"],
    ["parameters: { weight: { range: [0, .inf] } }", "range[1]: expected a number, found Infinity"],
    ["parameters: { weight: { start: 1e308 } }", "start: expected at most 1000, found 1e+308"],
    [
      "parameters: { weight: { sigma: 1e-320 } }",
      "sigma: expected at least a millionth of the range 0 to 1.5, found 1e-320",
    ],
    ["depth: { knots: 1001 }", "depth.knots: expected at most 1000, found 1001"],
    ["options: { normalize: true }", "options.normalize: the method task_arithmetic takes no options"],
    ["options: { normalise: true }", 'options: unknown key "normalise"; did you mean "normalize"?'],
    ["options: { tol: soon }", 'options.tol: expected a number, found "soon"'],
    ["options: { max_iter: 0.5 }", "options.max_iter: expected a whole number, found 0.5"],
    ["seed: 3", "seed: the method task_arithmetic draws nothing at random; leave seed out"],
    ["parameters: { weight: { start: .nan } }", "parameters.weight.start: expected a number or uniform, found NaN"],
  ])("refuses %s", (line, message) => {
    const key = line.slice(0, line.indexOf(":"));
    const others = ["method: task_arithmetic", "groups: all", "depth: constant"].filter(
      (other) => !other.startsWith(key),
    );
    expect(() => parse([...others, line].join("\n"))).toThrow(message);
  });

  test("keeps densities where they are defined, and has a seed where elements are drawn", () => {
    const dare = ["method: dare_linear", "groups: all", "depth: constant"];
    expect(parse(dare.join("\n"))).toMatchObject({ seed: 0 });
    expect(parse([...dare, "seed: 4", "options: { rescale: false }"].join("\n"))).toMatchObject({
      seed: 4,
      options: { rescale: false },
    });
    const outside = "parameters: { density: { range: [0, 1] } }";
    expect(() => parse([...dare, outside].join("\n"))).toThrow(
      "parameters.density.range: expected a range within 0.001 to 1, as density is defined, found 0 to 1",
    );
  });
});
