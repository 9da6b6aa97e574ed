/**
 * SentencePiece's compiled map of characters (`Precompiled`), applied as Hugging Face's `tokenizers` (Rust) does. It is a double
 * array of units of 32 bits, as darts-clone writes them, and behind it what keys become: texts that end with a zero.
 */

/** Bytes of a grapheme that is looked for as a whole. */
const WHOLE_BYTES = 5;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const encoder = new TextEncoder();

const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const labelOf = (unit: number): number => unit & 0x8000_00ff;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

export class CompiledMap {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  /** What was looked for: there are few different characters in texts. */
  readonly #known = new Map<string, string | undefined>();

  /** Reads a map in base64; throws an Error where it is none. */
  constructor(base64: unknown) {
    if (typeof base64 !== "string") throw new Error("normalizer: Precompiled: expected a precompiled_charsmap");
    const bytes = Buffer.from(base64, "base64");
    const length = bytes.length < 4 ? -1 : bytes.readUInt32LE(0);
    if (length < 4 || length % 4 !== 0 || length > bytes.length - 4)
      throw new Error("normalizer: Precompiled: expected a map of as many bytes as it says");
    this.#units = Uint32Array.from({ length: length / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.#texts = bytes.subarray(4 + length);
  }

  normalize(text: string): string {
    let normalized = "";
    for (const { segment } of segmenter.segment(text)) normalized += this.#replace(segment);
    return normalized;
  }

  /** Of a short grapheme the replacement takes the place of all of it, even where only its beginning is in the map. */
  #replace(grapheme: string): string {
    const whole = Buffer.byteLength(grapheme) <= WHOLE_BYTES ? this.#find(grapheme) : undefined;
    if (whole !== undefined) return whole;
    let replaced = "";
    for (const character of grapheme) replaced += this.#find(character) ?? character;
    return replaced;
  }

  #find(key: string): string | undefined {
    if (!this.#known.has(key)) this.#known.set(key, this.#search(encoder.encode(key)));
    return this.#known.get(key);
  }

  /** What the shortest beginning becomes that is in the map. */
  #search(key: Uint8Array): string | undefined {
    let place = offsetOf(this.#units[0] ?? 0);
    for (const byte of key) {
      if (byte === 0) return undefined;
      place ^= byte;
      const unit = this.#units[place];
      if (unit === undefined || labelOf(unit) !== byte) return undefined;
      place ^= offsetOf(unit);
      if (hasLeaf(unit)) return this.#textAt((this.#units[place] ?? 0) & 0x7fff_ffff);
    }
    return undefined;
  }

  #textAt(start: number): string {
    const end = this.#texts.indexOf(0, start);
    return new TextDecoder().decode(this.#texts.subarray(start, end < 0 ? undefined : end));
  }
}
