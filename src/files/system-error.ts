import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

/** What Node has no words for. */
const ownWords: ReadonlyMap<number, string> = new Map([[-constants.errno.EDQUOT, "disk quota exceeded"]]);

/** The words for a failed system call, such as "no such file or directory"; any other error's own message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!("errno" in error) || typeof error.errno !== "number") return error.message;
  return ownWords.get(error.errno) ?? getSystemErrorMap().get(error.errno)?.[1] ?? error.message;
}
