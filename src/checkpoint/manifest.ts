/** Name of the file that lists the sha256 of every other file of an exported model, for `sha256sum --check`. */
export const MANIFEST = "SHA256SUMS";

/** What a manifest is expected to be; a model has some hundred files. */
export const MANIFEST_FILE = { what: "the sha256 of an export's files", maxBytes: 2 ** 22 };

/** The text of a manifest, from hexadecimal digests by file name. */
export function formatManifest(digests: ReadonlyMap<string, string>): string {
  return Array.from(digests, ([name, sha256]) => `${sha256}  ${name}\n`).join("");
}

/** Digests by file name; lines that are not of a manifest are passed over. */
export function parseManifest(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").map((line) => /^(?<sha256>[0-9a-f]{64}) {2}(?<name>.+)$/.exec(line)?.groups);
  return new Map(lines.flatMap((line) => (line ? [[line["name"] ?? "", line["sha256"] ?? ""] as const] : [])));
}
