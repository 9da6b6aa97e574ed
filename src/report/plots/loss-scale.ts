/** The scale of an axis of losses, known before it is drawn, so that labels can be put beside it. */
export interface LossScale {
  readonly type: "log" | "linear";
  readonly domain: readonly [low: number, high: number];
}

/** So many times the least loss, or more, is told apart from it by a logarithm only. */
const WIDE = 6;
/** Less, as a part of the greatest loss, is no difference that a plot could show. */
const ALIKE = 1e-6;
/** Of the range, beyond the outermost values. */
const ROOM = 0.04;

/** A scale with room for all values; one from 0 to 1 for none. */
export function lossScale(values: readonly number[]): LossScale {
  if (values.length === 0) return { type: "linear", domain: [0, 1] };
  const [least, most] = [minOf(values), maxOf(values)];
  const type = least > 0 && most / least >= WIDE ? "log" : "linear";
  const [low, high] = [least, most].map((value) => onScale(type, value)) as [number, number];
  // Values that differ in their last digits only are as if they were equal.
  const spread = high - low > ALIKE * Math.abs(high) ? high - low : Math.abs(high) || 1;
  const room = ROOM * spread;
  return { type, domain: [fromScale(type, low - room), fromScale(type, high + room)] };
}

/** Where a value is on an axis, as a part of its length. */
export function partAt({ type, domain: [low, high] }: LossScale, value: number): number {
  const [from, to, at] = [low, high, value].map((one) => onScale(type, one)) as [number, number, number];
  return (at - from) / (to - from);
}

/** The value there. */
export function valueAt({ type, domain: [low, high] }: LossScale, part: number): number {
  const [from, to] = [onScale(type, low), onScale(type, high)];
  return fromScale(type, from + part * (to - from));
}

/** A label beside an axis, at the value that it is about, and where its text has room. */
export interface SideLabel {
  readonly name: string;
  readonly value: number;
  readonly place: number;
}

/** Puts labels beside an axis of that length in pixels, as near to their values as they have room. */
export function sideLabels(
  labels: readonly { readonly name: string; readonly value: number }[],
  scale: LossScale,
  length: number,
): readonly SideLabel[] {
  const gap = Math.min(15 / length, 1 / Math.max(1, labels.length - 1));
  const sorted = labels.toSorted((a, b) => a.value - b.value);
  const parts: number[] = [];
  for (const { value } of sorted) parts.push(Math.max(partAt(scale, value), (parts.at(-1) ?? -Infinity) + gap));
  for (let i = parts.length - 1, most = 1; i >= 0; i -= 1, most -= gap) parts[i] = Math.min(parts[i] ?? 0, most);
  return sorted.map(({ name, value }, i) => ({ name, value, place: valueAt(scale, parts[i] ?? 0) }));
}

function onScale(type: LossScale["type"], value: number): number {
  return type === "log" ? Math.log(value) : value;
}

function fromScale(type: LossScale["type"], value: number): number {
  return type === "log" ? Math.exp(value) : value;
}

/** Of lists that are too long for the arguments of a function. */
export function minOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

export function maxOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
