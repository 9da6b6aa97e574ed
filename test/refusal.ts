import { expect } from "vitest";
import { UserError } from "../src/errors.ts";

/** The sentence of the UserError that something ends with. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const reason: unknown = await work.catch((error: unknown) => error);
  expect(reason).toBeInstanceOf(UserError);
  return (reason as UserError).message;
}
