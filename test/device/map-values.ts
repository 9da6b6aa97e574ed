/** A record of the same names. */
export function mapValues<X, Y>(record: Readonly<Record<string, X>>, change: (value: X) => Y): Record<string, Y> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
