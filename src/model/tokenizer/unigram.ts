/**
 * The most likely pieces of a text, found as Hugging Face's `tokenizers` (Rust) does: sums of scores are compared where a path
 * ends, so that paths of equal sums lose to the one that began first. The library compares other sums, which round otherwise.
 */
import type { JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { fallbackBytes } from "./byte-alphabet.ts";
import { numberInRust } from "./number-in-rust.ts";
import { behind, type PrefixTree, prefixTree } from "./prefix-tree.ts";
import { partWithoutToken } from "./vocabulary.ts";

/** What a character without a piece costs more than the least likely piece. */
const UNKNOWN_PENALTY = 10;

type Pieces = readonly (readonly [piece: string, score: number])[];

/** A best path to somewhere. */
interface Path {
  readonly score: number;
  readonly start: number;
  readonly id: number;
}

export class Unigram {
  readonly #tree: PrefixTree<number>;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #scores: readonly number[];
  readonly #unknown: number | undefined;
  readonly #unknownScore: number;
  /** Whether unknown pieces are written in tokens for their bytes. */
  readonly #fallsBack: boolean;

  /** Of the model of a tokenizer.json, whose vocabulary was checked. */
  static of({ vocab, unk_id: unknown, byte_fallback: fallsBack }: JsonObject): Unigram {
    const pieces = (vocab ?? []) as Pieces;
    if (unknown === null || unknown === undefined) return new Unigram(pieces, undefined, fallsBack === true);
    if (!Number.isInteger(unknown) || Number(unknown) < 0 || Number(unknown) >= pieces.length)
      throw new Error(`model: unk_id: expected the id of one of ${pieces.length} pieces, found ${show(unknown)}`);
    return new Unigram(pieces, Number(unknown), fallsBack === true);
  }

  /** Pieces with their scores, in the order of their ids, and the id of the unknown one, if there is one. */
  constructor(pieces: Pieces, unknown: number | undefined, fallsBack = false) {
    this.#scores = pieces.map(([, score]) => numberInRust(score));
    this.#unknown = unknown;
    this.#fallsBack = fallsBack;
    this.#unknownScore = this.#scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    // Where a piece is there twice, the last one counts.
    this.#ids = new Map(pieces.map(([piece], id) => [piece, id]));
    this.#tree = prefixTree(this.#ids);
  }

  /** The ids of a text's pieces; unknown ones that meet are one. Throws an Error where a part has no token. */
  encode(text: string): number[] {
    const characters = Array.from(text);
    const paths = this.#bestPaths(characters);
    const pieces: { text: string; readonly isUnknown: boolean }[] = [];
    for (let end = characters.length; end > 0;) {
      const { start, id } = paths[end] ?? { start: end - 1, id: this.#unknown };
      const text = characters.slice(start, end).join("");
      const isUnknown = id === this.#unknown;
      const last = pieces.at(-1);
      if (isUnknown && last?.isUnknown === true) last.text = text + last.text;
      else pieces.push({ text, isUnknown });
      end = start;
    }
    return pieces.toReversed().flatMap(({ text }) => this.#idsOf(text));
  }

  /** A piece that falls back has tokens for all of its bytes. */
  #idsOf(piece: string): number | readonly number[] {
    const known = this.#ids.get(piece);
    if (known !== undefined) return known;
    const bytes = this.#fallsBack
      ? Array.from(Buffer.from(piece), (byte) => this.#ids.get(fallbackBytes[byte] ?? ""))
      : [undefined];
    if (bytes.every((id) => id !== undefined)) return bytes;
    if (this.#unknown === undefined) throw partWithoutToken();
    return this.#unknown;
  }

  /** By the character that they end before. */
  #bestPaths(characters: readonly string[]): readonly (Path | undefined)[] {
    const paths: (Path | undefined)[] = Array.from({ length: characters.length + 1 });
    for (let start = 0; start < characters.length; start += 1) {
      const before = paths[start]?.score ?? 0;
      const extend = (end: number, id: number, own: number): void => {
        const score = own + before;
        const known = paths[end];
        if (!known || score > known.score) paths[end] = { score, start, id };
      };
      let end = start;
      let hasCharacter = false;
      for (let node = behind(this.#tree, characters[end]); node; node = behind(node, characters[end])) {
        end += 1;
        if (node.value === undefined) continue;
        extend(end, node.value, this.#scores[node.value] ?? 0);
        hasCharacter ||= end === start + 1;
      }
      if (hasCharacter) continue;
      if (this.#unknown === undefined) throw partWithoutToken();
      extend(start + 1, this.#unknown, this.#unknownScore);
    }
    return paths;
  }
}
