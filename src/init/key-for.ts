/** A name for what is of a folder, or else of another name, of whose letters an experiment may be called. */
export function nameAfter(names: readonly string[]): string {
  return keyFor(names.find((name) => /[A-Za-z]/.test(name)) ?? "experiment", new Set());
}

/** A key that an experiment file may have, made of a name: letters, digits, `_`, `-` and `.`, and none that is taken. */
export function keyFor(name: string, taken: { readonly has: (key: string) => boolean }): string {
  const letters = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^\w.-]+/g, "-")
    .replace(/^[^A-Za-z_]*/, "")
    .replace(/-+$/, "");
  const plain = letters.slice(0, 90);
  // Every object of JavaScript has some keys.
  const stem = plain === "" || plain in {} ? `my-${plain || "own"}` : plain;
  for (let number = 1; ; number += 1) {
    const key = number === 1 ? stem : `${stem}-${number}`;
    if (!taken.has(key)) return key;
  }
}
