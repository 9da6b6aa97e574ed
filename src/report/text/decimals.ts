/** A number of so many decimals; one that is not finite as people write it. */
export function inDecimals(value: number, decimals: number): string {
  return Math.abs(value) === Infinity ? `${value < 0 ? "-" : ""}∞` : value.toFixed(decimals);
}

/** The same, with its sign where it is above 0, too. */
export function signedInDecimals(value: number, decimals: number): string {
  return `${value < 0 ? "-" : "+"}${inDecimals(Math.abs(value), decimals)}`;
}
