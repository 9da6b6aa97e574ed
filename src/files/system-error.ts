import { getSystemErrorMap } from "node:util";

/** The words for a failed system call, such as "no such file or directory"; any other error's own message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = "errno" in error && typeof error.errno === "number" ? getSystemErrorMap().get(error.errno) : undefined;
  return known?.[1] ?? error.message;
}
