/** Bytes for people, in decimal units as the Hub counts them: `16.1 GB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  // From 999.95 on, one place after the point makes a thousand.
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes) / 0.99995) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
