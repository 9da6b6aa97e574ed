import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { SmallestFirst } from "../../../src/model/tokenizer/smallest-first.ts";

test("whatever is put in between, the smallest comes first", () => {
  assert(
    // A number below 0 takes one out.
    property(array(integer({ min: -30, max: 60 }), { maxLength: 200 }), (steps) => {
      const queue = new SmallestFirst();
      let expected: number[] = [];
      for (const step of steps) {
        if (step >= 0) {
          queue.push(step);
          expected = [...expected, step].toSorted((a, b) => a - b);
        } else {
          expect(queue.pop()).toBe(expected.shift());
        }
      }
    }),
  );
});
