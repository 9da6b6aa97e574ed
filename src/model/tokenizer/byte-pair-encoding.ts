/**
 * Byte-pair encoding as Hugging Face's `tokenizers` (Rust) does it: of the pairs that meet in a piece the one that was learned first
 * becomes one token, the leftmost of its kind first, until none is left.
 */
import type { JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { idsOf } from "./added-tokens.ts";
import { fallbackBytes } from "./byte-alphabet.ts";
import { SmallestFirst } from "./smallest-first.ts";
import { partWithoutToken } from "./vocabulary.ts";

/** No piece has as many characters; with the number of a merge it makes one number that is exact. */
const LENGTH = 2 ** 29;
const KEPT_PIECES = 10_000;
const NONE = -1;

export class BytePairEncoding {
  readonly #ids: ReadonlyMap<string, number>;
  /** By two ids, the number of the merge and what it makes. */
  readonly #merges: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly #made: readonly number[];
  readonly #unknown: string | undefined;
  readonly #fuses: boolean;
  readonly #fallsBack: boolean;
  readonly #looksForWhole: boolean;
  /** Words come again. */
  readonly #known = new Map<string, readonly number[]>();

  /** Of the model of a tokenizer.json, whose vocabulary was checked; throws an Error for a merge of what is no token. */
  constructor({ vocab, merges, unk_token, fuse_unk, byte_fallback, ignore_merges }: JsonObject) {
    this.#ids = idsOf(vocab);
    this.#unknown = typeof unk_token === "string" ? unk_token : undefined;
    this.#fuses = fuse_unk === true;
    this.#fallsBack = byte_fallback === true;
    this.#looksForWhole = ignore_merges === true;
    const byLeft = new Map<number, Map<number, number>>();
    this.#made = mergesIn(merges).map(([left, right], number) => {
      const idOf = (token: string): number => this.#idIn(token, number);
      const byRight = byLeft.get(idOf(left)) ?? new Map<number, number>();
      byLeft.set(idOf(left), byRight.set(idOf(right), number));
      return idOf(left + right);
    });
    this.#merges = byLeft;
  }

  /** The ids of a piece; throws an Error where the token for unknown parts is none. */
  encode(piece: string): readonly number[] {
    const known = this.#known.get(piece);
    if (known) return known;
    const whole = this.#looksForWhole ? this.#ids.get(piece) : undefined;
    const ids = whole === undefined ? this.#merged(this.#characters(piece)) : [whole];
    if (this.#known.size >= KEPT_PIECES) this.#known.clear();
    this.#known.set(piece, ids);
    return ids;
  }

  #idIn(token: string, number: number): number {
    const id = this.#ids.get(token);
    if (id === undefined) throw new Error(`model: merges: expected tokens at ${number}, found ${show(token)}`);
    return id;
  }

  /** Characters without a token are left out where there is none for unknown parts. */
  #characters(piece: string): number[] {
    const ids: number[] = [];
    // An unknown part stands behind the bytes that follow it, as in Rust.
    let unknown: number | undefined;
    const flush = (): void => {
      if (unknown !== undefined) ids.push(unknown);
      unknown = undefined;
    };
    for (const character of piece) {
      const id = this.#ids.get(character);
      const bytes = id === undefined && this.#fallsBack ? this.#bytesOf(character) : undefined;
      if (bytes) {
        ids.push(...bytes);
      } else if (id !== undefined) {
        flush();
        ids.push(id);
      } else if (this.#unknown !== undefined) {
        if (!this.#fuses) flush();
        unknown = this.#ids.get(this.#unknown);
        if (unknown === undefined) throw partWithoutToken();
      }
    }
    flush();
    return ids;
  }

  #bytesOf(character: string): readonly number[] | undefined {
    const ids = Array.from(Buffer.from(character), (byte) => this.#ids.get(fallbackBytes[byte] ?? ""));
    return ids.every((id) => id !== undefined) ? ids : undefined;
  }

  #merged(ids: number[]): readonly number[] {
    const next = Int32Array.from(ids, (_, i) => (i + 1 < ids.length ? i + 1 : NONE));
    const before = Int32Array.from(ids, (_, i) => i - 1);
    const queue = new SmallestFirst();
    const mergeAt = (place: number): number | undefined =>
      this.#merges.get(ids[place] ?? NONE)?.get(ids[next[place] ?? NONE] ?? NONE);
    const consider = (place: number): void => {
      const number = mergeAt(place);
      if (number !== undefined) queue.push(number * LENGTH + place);
    };
    for (let place = 0; place + 1 < ids.length; place += 1) consider(place);
    for (let first = queue.pop(); first !== undefined; first = queue.pop()) {
      const place = first % LENGTH;
      const made = this.#made[Math.floor(first / LENGTH)] ?? NONE;
      const now = mergeAt(place);
      // What was considered may have been merged since.
      if (now === undefined || this.#made[now] !== made) continue;
      const gone = next[place] ?? NONE;
      const behind = next[gone] ?? NONE;
      ids[place] = made;
      ids[gone] = NONE;
      next[place] = behind;
      if (behind !== NONE) before[behind] = place;
      if (before[place] !== NONE) consider(before[place] ?? NONE);
      consider(place);
    }
    return ids.filter((id) => id !== NONE);
  }
}

function mergesIn(merges: unknown): readonly (readonly [left: string, right: string])[] {
  const list = Array.isArray(merges) ? (merges as (string | [string, string])[]) : [];
  return list.map((merge) => (typeof merge === "string" ? (merge.split(" ", 2) as [string, string]) : merge));
}
