/**
 * Longest common subsequences by bits (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004): of the table of lengths
 * only where they grow from one column to the next is kept, a bit each, 32 columns in a word.
 * @module
 */

/** For each word of a text, a column, a 0 where the length grows. */
type Row = Uint32Array;

/** A text that others are compared with. */
export class ComparedText {
  readonly #words: readonly string[];
  /** By the word, in order; no more of them than a row has elements. */
  readonly #places = new Map<string, number[]>();
  /** By the word, of words with more places than that, which are 32 at most: a bit for each place. */
  readonly #frequent = new Map<string, Row>();
  /** The same bits of the word that a row is made for, if it is another; zero between two rows. */
  readonly #matches: Row;

  constructor(words: readonly string[]) {
    this.#words = words;
    this.#matches = new Uint32Array((words.length + 31) >>> 5);
    for (const [i, word] of words.entries()) {
      const places = this.#places.get(word);
      if (places) places.push(i);
      else this.#places.set(word, [i]);
    }
    for (const [word, places] of this.#places) {
      if (places.length <= this.#matches.length) continue;
      this.#frequent.set(word, withBits(new Uint32Array(this.#matches.length), places));
      this.#places.delete(word);
    }
  }

  /** Length of the longest common subsequence. */
  commonLength(other: readonly string[]): number {
    const row = this.#firstRow();
    for (const word of other) this.#advance(row, word);
    return lengthIn(row, this.#words.length);
  }

  /** The indices in `other` of a longest common subsequence: of several the one that rouge_score reads out of its table. */
  commonIndices(other: readonly string[]): number[] {
    const indices: number[] = [];
    const rows = this.#rowsOf(other);
    let [i, j] = [other.length, this.#words.length];
    let [row, above] = [rows(i), rows(i - 1)];
    let [length, lengthAbove] = [lengthIn(row, j), lengthIn(above, j)];
    while (length > 0) {
      const isSame = other[i - 1] === this.#words[j - 1];
      // Where the words differ, the length to the left is greater than the one above exactly if the one here is.
      if (!isSame && length > lengthAbove) {
        j -= 1;
        [length, lengthAbove] = [length - growthAt(row, j), lengthAbove - growthAt(above, j)];
        continue;
      }
      i -= 1;
      if (isSame) {
        indices.push(i);
        j -= 1;
      }
      [row, above] = [above, rows(i - 1)];
      [length, lengthAbove] = [lengthIn(row, j), lengthIn(above, j)];
    }
    return indices.toReversed();
  }

  #firstRow(): Row {
    return new Uint32Array(this.#matches.length).fill(-1);
  }

  /** Makes of the row for the words before a word the row that has that, too. */
  #advance(row: Row, word: string): void {
    const frequent = this.#frequent.get(word);
    const places = this.#places.get(word);
    if (!places && !frequent) return;
    const matches = frequent ?? withBits(this.#matches, places ?? []);
    let carry = 0;
    for (let at = 0; at < row.length; at += 1) {
      const [before = 0, own = 0] = [row[at], matches[at]];
      const sum = before + ((before & own) >>> 0) + carry;
      carry = sum >= 2 ** 32 ? 1 : 0;
      row[at] = sum | (before & ~own);
    }
    for (const place of places ?? []) matches[place >>> 5] = 0;
  }

  /**
   * The rows for so many of the first words of a text, to be asked for from the last on: some are kept, and those between two
   * of them are made again when they are reached.
   */
  #rowsOf(words: readonly string[]): (count: number) => Row {
    const stride = Math.ceil(Math.sqrt(words.length + 1));
    const kept: Row[] = [];
    const row = this.#firstRow();
    for (const [i, word] of words.entries()) {
      if (i % stride === 0) kept.push(row.slice());
      this.#advance(row, word);
    }
    let [start, rows]: [number, readonly Row[]] = [Infinity, []];
    return (count) => {
      if (count < start) {
        start = Math.max(0, count - (count % stride));
        rows = this.#from(kept[start / stride] ?? row, words.slice(start, start + stride - 1));
      }
      return rows[Math.max(0, count) - start] ?? row;
    };
  }

  /** A row, and those for one more of these words each. */
  #from(first: Row, words: readonly string[]): readonly Row[] {
    const rows = [first];
    let row = first;
    for (const word of words) {
      row = row.slice();
      this.#advance(row, word);
      rows.push(row);
    }
    return rows;
  }
}

/** The row itself, in which it sets the bits of these columns. */
function withBits(row: Row, columns: readonly number[]): Row {
  for (const column of columns) row[column >>> 5] = (row[column >>> 5] ?? 0) | (1 << (column & 31));
  return row;
}

/** Whether the length grows there, as a number. */
function growthAt(row: Row, column: number): number {
  return (~(row[column >>> 5] ?? 0) >>> (column & 31)) & 1;
}

/** The length for the first columns of a row. */
function lengthIn(row: Row, columns: number): number {
  let length = 0;
  for (let at = 0; at < columns >>> 5; at += 1) length += onesIn(~(row[at] ?? 0));
  const rest = columns & 31;
  return rest === 0 ? length : length + onesIn(~(row[columns >>> 5] ?? 0) & (2 ** rest - 1));
}

function onesIn(word: number): number {
  let ones = word - ((word >>> 1) & 0x55555555);
  ones = (ones & 0x33333333) + ((ones >>> 2) & 0x33333333);
  return (((ones + (ones >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
