import { assert, property, json, string, nat } from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../src/files/json.ts";
import { findJsonFault } from "../../src/files/json-fault.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function fault(text: string): string {
  try {
    return `read ${JSON.stringify(parseJson(text, "f", "a note"))}`;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("the place of a fault", () => {
  test("is the end exactly where nothing is wrong before it", () => {
    assert(
      property(json(), (text) => {
        expect(findJsonFault(text)).toBe(text.length);
      }),
    );
  });

  test("lies in the text, at or before which a change has spoilt it", () => {
    assert(
      property(json(), nat(), string({ maxLength: 3 }), (text, at, change) => {
        const cut = at % (text.length + 1);
        const spoilt = text.slice(0, cut) + change + text.slice(cut + 1);
        if (parses(spoilt)) return;
        const place = findJsonFault(spoilt);
        expect(place).toBeLessThanOrEqual(spoilt.length);
        // What is wrong there stays wrong, whatever follows.
        if (place < spoilt.length) expect(parses(spoilt.slice(0, place + 1))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['{"a": secret}', "f: expected a note: this is not JSON from character 7 on"],
    ['{\n  "a": 1,\n}', "f: expected a note: this is not JSON from line 3, character 1 on"],
    ['["a\nb"]', "f: expected a note: this is not JSON from line 1, character 4 on"],
    ['["\\x"]', "f: expected a note: this is not JSON from character 3 on"],
    ["[1, 2", "f: expected a note: this JSON ends too early"],
    ["", "f: expected a note: this JSON ends too early"],
    ["[1] 2", "f: expected a note: this is not JSON from character 5 on"],
    ["[1}", "f: expected a note: this is not JSON from character 3 on"],
    ["01", "f: expected a note: this is not JSON from character 2 on"],
  ])("is told for %j, and the text is not quoted", (text, message) => {
    expect(fault(text)).toBe(message);
  });
});

describe("what would take far more memory than its text", () => {
  test("is not parsed: nested without end", () => {
    expect(fault("[".repeat(10_000_000))).toBe("f: expected a note: found nested more than 100 deep");
    expect(fault('{"a":'.repeat(1_000_000))).toBe("f: expected a note: found nested more than 100 deep");
    expect(fault(`${"[".repeat(100)}${"]".repeat(100)}`)).toMatch(/^read \[/);
  });

  test("is not parsed: millions of values", () => {
    expect(fault(`[${"[],".repeat(6_000_000)}[]]`)).toBe("f: expected a note: found more than 10000000 values");
  });

  test("does not count what is within a string", () => {
    expect(fault(JSON.stringify('["\\'.repeat(1000)))).toMatch(/^read "/);
  });
});
