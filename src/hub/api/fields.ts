import { z } from "zod";
import { isSafePath } from "../../files/safe-path.ts";

/** A commit, or an object of git. */
export const sha1 = z.string().regex(/^[0-9a-f]{40}$/);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Bytes, or a count. */
export const wholeNumber = z.int().nonnegative();
/** Path of a file of a repository. */
export const filePath = z
  .string()
  .max(4096)
  .refine((path) => isSafePath(path), "expected a path inside the repository");
export const gated = z.literal([false, "auto", "manual"]);
export const lastCommit = z.object({ id: sha1, date: z.iso.datetime(), title: z.string() });
