/** The tokens that stand for bytes, of which there are 256 in a vocabulary that knows every text. */

const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const isShown = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
const hidden = bytes.filter((byte) => !isShown(byte));

/** The characters that byte-level pieces are written in: GPT-2's `bytes_to_unicode`, in no order. */
export const byteLevelAlphabet: readonly string[] = [...bytes.filter(isShown), ...hidden.map((_, i) => 256 + i)].map(
  (code) => String.fromCodePoint(code),
);

/** Which byte each of them stands for. */
export const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  [...bytes.filter(isShown), ...hidden].map((byte, i) => [byteLevelAlphabet[i] ?? "", byte]),
);

/** SentencePiece's `<0x00>` to `<0xFF>`. */
export const fallbackBytes: readonly string[] = bytes.map(
  (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);
