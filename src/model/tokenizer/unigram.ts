/**
 * The most likely pieces of a text, found as Hugging Face's `tokenizers` (Rust) does: sums of scores are compared where a path
 * ends, so that paths of equal sums lose to the one that began first. The library compares other sums, which round otherwise.
 */
import type { JsonObject } from "../../files/json-object.ts";
import { fallbackBytes } from "./byte-alphabet.ts";

/** What a character without a piece costs more than the least likely piece. */
const UNKNOWN_PENALTY = 10;

type Pieces = readonly (readonly [piece: string, score: number])[];

/** Pieces by their characters. */
interface PieceTree {
  readonly next: Map<string, PieceTree>;
  id?: number;
}

/** A best path to somewhere. */
interface Path {
  readonly score: number;
  readonly start: number;
  readonly id: number;
}

export class Unigram {
  readonly #root: PieceTree = { next: new Map() };
  readonly #scores: readonly number[];
  readonly #unknown: number;
  readonly #unknownScore: number;
  /** Whether unknown pieces are written in tokens for their bytes. */
  readonly #fallsBack: boolean;

  /** Of the model of a tokenizer.json, whose vocabulary was checked. */
  static of({ vocab, unk_id: unknown, byte_fallback: fallsBack }: JsonObject): Unigram {
    return new Unigram((vocab ?? []) as Pieces, Number(unknown ?? -1), fallsBack === true);
  }

  /** Pieces with their scores, in the order of their ids, and the id of the unknown one; below 0 there is none. */
  constructor(pieces: Pieces, unknown: number, fallsBack = false) {
    this.#scores = pieces.map(([, score]) => score);
    this.#unknown = unknown;
    const known = new Set(pieces.map(([piece]) => piece));
    this.#fallsBack = fallsBack && fallbackBytes.every((token) => known.has(token));
    this.#unknownScore = this.#scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    // Where a piece is there twice, the last one counts.
    for (const [id, [piece]] of pieces.entries()) this.#insert(piece, id);
  }

  /** The pieces of a text; unknown ones that meet are one. */
  split(text: string): string[] {
    const characters = Array.from(text);
    const paths = this.#bestPaths(characters);
    const pieces: { text: string; readonly isUnknown: boolean }[] = [];
    for (let end = characters.length; end > 0;) {
      const { start, id } = paths[end] ?? { start: end - 1, id: this.#unknown };
      const text = characters.slice(start, end).join("");
      const isUnknown = id === this.#unknown;
      const behind = pieces.at(-1);
      if (isUnknown && behind?.isUnknown === true) behind.text = text + behind.text;
      else pieces.push({ text, isUnknown });
      end = start;
    }
    const written = pieces.toReversed();
    return written.flatMap(({ text, isUnknown }) => (isUnknown && this.#fallsBack ? bytesOf(text) : text));
  }

  #insert(piece: string, id: number): void {
    let node = this.#root;
    for (const character of piece) {
      let next = node.next.get(character);
      if (!next) node.next.set(character, (next = { next: new Map() }));
      node = next;
    }
    if (node !== this.#root) node.id = id;
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
      let node: PieceTree | undefined = this.#root;
      let hasCharacter = false;
      for (let end = start; end < characters.length;) {
        node = node.next.get(characters[end] ?? "");
        if (!node) break;
        end += 1;
        if (node.id === undefined) continue;
        extend(end, node.id, this.#scores[node.id] ?? 0);
        hasCharacter ||= end === start + 1;
      }
      if (!hasCharacter) extend(start + 1, this.#unknown, this.#unknownScore);
    }
    return paths;
  }
}

function bytesOf(text: string): string[] {
  return Array.from(Buffer.from(text), (byte) => fallbackBytes[byte] ?? "");
}
