import { describe, expect, test } from "vitest";
import { planText } from "../../src/cli/commands/fetch.ts";

const plan = { repositories: [], bytes: 0, presentBytes: 0, missingBytes: 0, freeBytes: 20e9, cache: "/cache" };
const repository = { name: "org/base", commit: "0123456789abcdef".repeat(3).slice(0, 40), files: 7, bytes: 16e9 };

describe("planText", () => {
  test("lists what is to be fetched of each repository, and what the disk has left", () => {
    const repositories = [{ ...repository, presentBytes: 4e9 }];
    expect(planText({ ...plan, repositories, bytes: 16e9, presentBytes: 4e9, missingBytes: 12e9 }))
      .toMatchInlineSnapshot(`
        "repository        commit  files     size  to fetch
        ----------  ------------  -----  -------  --------
        org/base    0123456789ab      7  16.0 GB   12.0 GB

        12.0 GB to fetch; of 20.0 GB free at /cache that leaves 8.0 GB free"
      `);
  });

  test("says what is missing where it does not fit", () => {
    const repositories = [{ ...repository, presentBytes: 0 }];
    expect(planText({ ...plan, repositories, missingBytes: 16e9, freeBytes: 10e9 })).toMatch(
      /of 10\.0 GB free at \/cache that does not fit: 6\.0 GB are missing$/,
    );
  });

  test("says that a local experiment needs nothing", () => {
    expect(planText(plan)).toBe("nothing to fetch: the experiment names no model and no rows of the Hub");
  });
});
