import { isUtf8 } from "node:buffer";
import { UserError } from "../errors.ts";

const LINE_FEED = 0x0a;

/** Throws a UserError that names the first line which is not UTF-8; decoded, its text would have other characters in it. */
export function checkUtf8(path: string, bytes: Buffer): void {
  if (isUtf8(bytes)) return;
  let line = 1;
  // No character of several bytes has a line feed in it, so that lines can be looked at one by one.
  for (let start = 0; start < bytes.length; line++) {
    const next = bytes.indexOf(LINE_FEED, start);
    const end = next < 0 ? bytes.length : next;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  throw new UserError(`${path}:${line}: expected text in UTF-8, found other bytes; save the file as UTF-8`);
}
