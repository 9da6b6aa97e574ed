/** Milliseconds for people: `9 s`, `4 min 05 s`, `3 h 20 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${two(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** The same of what may take less than a second: `0.31 s`. */
export function preciseDuration(ms: number): string {
  return ms < 9_500 ? `${(ms / 1000).toPrecision(2)} s` : duration(ms);
}

/** The same in a cell: `9s`, `4m05s`, `3h20m`, and without what is nought: `10m`, `1h`. */
export function briefDuration(ms: number): string {
  return duration(ms)
    .replace(/ 00 .*/, "")
    .replace(" min", "m")
    .replaceAll(" ", "");
}

/** A budget as the command line takes it, rounded up. */
export function budgetOption(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds <= 120 ? `--budget ${seconds}s` : `--budget ${Math.ceil(seconds / 60)}m`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
