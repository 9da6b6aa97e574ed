import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const start = { experiment: {}, identity: {}, versions: {} };

describe("numbers of a journal", () => {
  test("come back bit for bit, also for a reader of the running journal", async () => {
    const folder = await temporaryFolder();
    using journal = Journal.create(folder, start);
    fc.assert(
      fc.property(fc.float64Array(), (losses) => {
        const ref = journal.appendNumbers(losses);
        expect(Buffer.from(journal.readNumbers(ref).buffer)).toEqual(Buffer.from(losses.buffer));
        expect(readJournal(folder).readNumbers(ref)).toEqual(losses);
      }),
      { numRuns: 30 },
    );
  });

  test.each([Number.NaN, -5e-324, 1 + 2 ** -52, Infinity])(
    "that are points are refused for a coordinate of %d",
    async (number) => {
      const folder = await temporaryFolder();
      using journal = Journal.create(folder, start);
      const ref = journal.appendNumbers(Float64Array.of(-0, 1, number));
      const path = join(folder, "numbers.bin");
      for (const view of [journal, readJournal(folder)]) {
        expect(view.readNumbers(ref)[2]).toBe(number);
        expect(() => view.readPoints(ref)).toThrow(
          new UserError(
            `${path}: the number at byte 16: expected a coordinate from 0 to 1, found ${number}; restore the file from a copy or start a new run`,
          ),
        );
        expect(() => view.readPoints({ ...ref, offset: 8 })).toThrow("the 3 numbers at byte 8 are damaged");
      }
    },
  );
});
