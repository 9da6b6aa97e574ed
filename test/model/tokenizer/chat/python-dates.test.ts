import { expect, test } from "vitest";
import { pythonDate } from "../../../../src/model/tokenizer/chat/python-dates.ts";

const date = new Date(2026, 2, 5, 13, 4, 9);

test.each([
  // From Python: datetime(2026, 3, 5, 13, 4, 9).strftime(...)
  ["%d %b %Y", "05 Mar 2026"],
  ["%B %-d, %Y", "March 5, 2026"],
  ["%A, %a %e %h", "Thursday, Thu  5 Mar"],
  ["%F %T %I:%M:%S %p", "2026-03-05 13:04:09 01:04:09 PM"],
  ["%j %-j %y %-m %w %H 100%%", "064 64 26 3 4 13 100%"],
  ["no codes", "no codes"],
])("%s is written as Python does it, in English", (format, text) => {
  expect(pythonDate(date, format)).toBe(text);
});

test("a code that is not known is refused by its name", () => {
  expect(() => pythonDate(date, "%d %Q")).toThrow("strftime_now: %Q is not known");
  expect(() => pythonDate(date, "%")).toThrow("strftime_now: % is not known");
});
