import { describe, expect, test } from "vitest";
import { parsePythonList } from "../../src/tasks/python-list.ts";

describe("parsePythonList", () => {
  test.each([
    ["['a', 'b']", ["a", "b"]],
    [`["it's", 'say "so"']`, ["it's", 'say "so"']],
    ["[ 'a' ,\n 'b', ]", ["a", "b"]],
    ["[]", []],
    [
      String.raw`['it\'s', 'a\nb', 'tab\there', 'back\\slash', 'caf\xe9', '\u6771', '\U0001F600', '\d']`,
      ["it's", "a\nb", "tab\there", "back\\slash", "café", "東", "😀", "\\d"],
    ],
    ["['a, b', '[c]']", ["a, b", "[c]"]],
  ])("reads %s", (text, expected) => {
    expect(parsePythonList(text)).toEqual(expected);
  });

  test.each(["None", "", "'a'", "['a'", "['a' 'b']", "['a', b]", "[1, 2]", "['a']]", "['a', , 'b']", "['a\nb']"])(
    "refuses %j",
    (text) => {
      expect(parsePythonList(text)).toBeUndefined();
    },
  );
});
