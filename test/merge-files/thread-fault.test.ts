import { openSync } from "node:fs";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { reasonOf } from "../../src/files/system-error.ts";
import { errorOf, threadFaultOf } from "../../src/merge-files/thread-fault.ts";

/** The error as it is on the other side. */
function crossed(error: unknown): Error {
  return errorOf(structuredClone(threadFaultOf(error)));
}

function thrownBy(fail: () => unknown): unknown {
  try {
    fail();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("errors of users stay theirs, and those of the system keep their words and code", () => {
  expect(crossed(new UserError("bad recipe"))).toEqual(new UserError("bad recipe"));
  const system = crossed(thrownBy(() => openSync(import.meta.dirname, "w")));
  expect(system).toMatchObject({ code: "EISDIR" });
  expect(reasonOf(system)).toBe("illegal operation on a directory");
});

test("what nobody expects has the stack of where it came from", () => {
  expect(crossed(thrownBy(() => BigInt(0.5))).message).toContain("thread-fault.test.ts");
  expect(crossed("odd").message).toBe("odd");
});
