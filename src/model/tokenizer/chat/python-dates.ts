/** Python's `strftime` in the C locale, whose names do not depend on where it runs. */

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** What stands for a code; numbers have a width that `%-d` leaves out. */
const codes: Readonly<Record<string, (date: Date) => string | readonly [value: number, width: number, fill?: string]>> =
  {
    a: (date) => nameOf(DAYS, date.getDay()).slice(0, 3),
    A: (date) => nameOf(DAYS, date.getDay()),
    b: (date) => nameOf(MONTHS, date.getMonth()).slice(0, 3),
    h: (date) => nameOf(MONTHS, date.getMonth()).slice(0, 3),
    B: (date) => nameOf(MONTHS, date.getMonth()),
    d: (date) => [date.getDate(), 2],
    e: (date) => [date.getDate(), 2, " "],
    m: (date) => [date.getMonth() + 1, 2],
    y: (date) => [date.getFullYear() % 100, 2],
    Y: (date) => String(date.getFullYear()),
    H: (date) => [date.getHours(), 2],
    I: (date) => [date.getHours() % 12 || 12, 2],
    M: (date) => [date.getMinutes(), 2],
    S: (date) => [date.getSeconds(), 2],
    p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
    j: (date) => [dayOfYear(date), 3],
    w: (date) => String(date.getDay()),
    F: (date) => pythonDate(date, "%Y-%m-%d"),
    T: (date) => pythonDate(date, "%H:%M:%S"),
    "%": () => "%",
  };

/** Throws an Error for a code that is not known here, rather than leave it in the text. */
export function pythonDate(date: Date, format: string): string {
  return format.replaceAll(/%(-?)(.?)/gsu, (found, minus: string, code: string) => {
    const part = Object.hasOwn(codes, code) ? codes[code]?.(date) : undefined;
    if (part === undefined) throw new Error(`strftime_now: ${found} is not known; known are %${known}`);
    if (typeof part === "string") return part;
    const [value, width, fill = "0"] = part;
    return minus === "" ? String(value).padStart(width, fill) : String(value);
  });
}

const known = Object.keys(codes).join(" %");

function nameOf(names: readonly string[], index: number): string {
  return names[index] ?? "";
}

function dayOfYear(date: Date): number {
  const midnight = (month: number, day: number): number => Date.UTC(date.getFullYear(), month, day);
  return Math.round((midnight(date.getMonth(), date.getDate()) - midnight(0, 1)) / 86_400_000) + 1;
}
