/**
 * The number that Rust's `serde_json` reads where a file says this one, which may be a neighbour of it: it divides the digits by
 * a power of ten, and each of the two steps rounds. Scores of pieces that nearly tie are decided by that. A file is taken to
 * have no more digits than the number needs, as every program writes them.
 */
export function numberInRust(number: number): number {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number));
  if (!parts) return number;
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  const digits = Number(whole + fraction);
  const power = Number(exponent) - fraction.length;
  // Beyond the powers of ten that there are it goes in steps; no score is there.
  if (Math.abs(power) > 308) return number;
  const size = power < 0 ? digits / Number(`1e${-power}`) : digits * Number(`1e${power}`);
  return sign === "-" ? -size : size;
}
