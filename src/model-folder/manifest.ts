import { sha256Of } from "../files/sha256.ts";

/** Name of the file that lists the sha256 of every other file of an exported model, for `sha256sum --check`. */
export const MANIFEST = "SHA256SUMS";

/** What a manifest is expected to be; a model has some hundred files. */
export const MANIFEST_FILE = { what: "the sha256 of an export's files", maxBytes: 2 ** 22 };

/** Sha256 in hexadecimal by file name. */
export type Digests = ReadonlyMap<string, string>;

/** A comment to `sha256sum`. It tells our manifests from any other, and those that were edited from our own. */
const firstLine = /^# evomerge export 1 (?<sha256>[0-9a-f]{64})\n/;

/** The text of a manifest. */
export function formatManifest(digests: Digests): string {
  const lines = Array.from(digests, ([name, sha256]) => `${sha256}  ${name}\n`)
    .toSorted((a, b) => (a.slice(64) < b.slice(64) ? -1 : 1))
    .join("");
  return `# evomerge export 1 ${sha256Of(lines)}\n${lines}`;
}

/** What a manifest lists; undefined for a text that `formatManifest` did not write, to the last byte. */
export function parseManifest(text: string): Digests | undefined {
  const written = firstLine.exec(text);
  const lines = text.slice(written?.[0].length);
  if (written?.groups?.["sha256"] !== sha256Of(lines)) return undefined;
  const digests = new Map<string, string>();
  for (const line of lines.split("\n").slice(0, -1)) {
    const { sha256, name = "" } = /^(?<sha256>[0-9a-f]{64}) {2}(?<name>.+)$/.exec(line)?.groups ?? {};
    // The names become paths of files that may be removed: only of this very folder.
    if (sha256 === undefined || /[/\\]|^\.{1,2}$/.test(name)) return undefined;
    digests.set(name, sha256);
  }
  return digests;
}
