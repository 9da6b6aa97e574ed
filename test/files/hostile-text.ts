import * as fc from "fast-check";

/** Texts in which what a terminal obeys is as frequent as what it shows. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom("\u001B[2J", "\u001B]0;x\u0007", "\u009B2J", "\u007F", "\0", "\r", "\n", "\t", "\b"),
      fc.constantFrom("\u202E", "\u2066", "\u200F", "\u061C", "\u2028", "\u2029", "\uD800", "\uDFFF", "|", '"', "\\"),
      fc.string({ unit: "binary", maxLength: 5 }),
      fc.string({ unit: "grapheme", maxLength: 5 }),
    ),
  )
  .map((parts) => parts.join(""));

/** Written out a second time, one by one: what must never reach a stream. */
export const obeyed =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/;
