import { describe, expect, test } from "vitest";
import { currentPlace, currentProcess, lifeOf, type ProcessIdentity } from "../../src/files/process-identity.ts";

const OUTSIDE = "pid:[4026531836]";
const CONTAINER = "pid:[4026532281]";

/** Beyond any number that Linux gives. */
const pid = 2 ** 22 + 1;

describe("lifeOf", () => {
  const here = { host: "a", machine: "b", boot: "c", namespace: OUTSIDE, clock: "time:[1]" };

  test.each<[is: string, change: Partial<ProcessIdentity>, where: Partial<ProcessIdentity>]>([
    ["ended", {}, {}],
    ["ended", { clock: "time:[2]" }, {}],
    ["ended", { boot: "earlier" }, {}],
    ["unknown", { boot: "earlier", machine: "of a copy with an id of its own" }, {}],
    ["unknown", { boot: "earlier", namespace: CONTAINER }, {}],
    ["unknown", { boot: "earlier" }, { namespace: CONTAINER }],
    // Containers of two machines, of one image and with one name.
    ["unknown", { boot: "earlier", namespace: CONTAINER }, { namespace: CONTAINER }],
    ["unknown", { namespace: CONTAINER }, {}],
    ["unknown", { host: "elsewhere" }, {}],
  ])("says %s of a number that nobody has, with %j, seen from %j", (is, change, where) => {
    expect(lifeOf({ ...here, pid, ...change }, { ...here, ...where })).toBe(is);
  });

  test.skipIf(process.platform !== "linux")("believes no time of start that another clock told", () => {
    const other = { ...currentProcess(), started: "1" };
    expect(lifeOf(other)).toBe("ended");
    expect(lifeOf(other, { ...currentPlace(), clock: "time:[1]" })).toBe("unknown");
    expect(lifeOf(currentProcess())).toBe("running");
  });
});
