/**
 * Porter's stemmer with the extensions of nltk's default mode (`nltk.stem.PorterStemmer`, NLTK_EXTENSIONS), which rouge_score
 * uses. Porter, "An algorithm for suffix stripping", Program 14.3 (1980). npm's `stemmer` has Porter's own rules, by which
 * words such as play, they and enjoy have other stems.
 * @module
 */

/** What replaces a suffix where the rest of the word passes; the first rule whose suffix the word has decides. */
type SuffixRule = readonly [suffix: string, replacement: string, passes?: (rest: string) => boolean];

const irregular: Readonly<Record<string, readonly string[]>> = {
  sky: ["sky", "skies"],
  die: ["dying"],
  lie: ["lying"],
  tie: ["tying"],
  news: ["news"],
  inning: ["innings", "inning"],
  outing: ["outings", "outing"],
  canning: ["cannings", "canning"],
  howe: ["howe"],
  proceed: ["proceed"],
  exceed: ["exceed"],
  succeed: ["succeed"],
};
const irregularStems = new Map(
  Object.entries(irregular).flatMap(([stem, words]) => words.map((word) => [word, stem] as const)),
);

/** The stem of a word in lower case. */
export function porterStem(word: string): string {
  const known = irregularStems.get(word);
  if (known !== undefined) return known;
  if (word.length <= 2) return word;
  return steps.reduce((stem, step) => step(stem), word);
}

const steps: readonly ((word: string) => string)[] = [
  (word) => (/^.ies$/.test(word) ? word.slice(0, -1) : applied(plurals, word)),
  withoutPast,
  (word) => applied([["y", "i", (rest) => rest.length > 1 && endsInConsonant(rest)]], word),
  withoutDoubleSuffix,
  (word) => applied(adjectives, word),
  (word) => applied(endings, word),
  withoutLastE,
  (word) => applied([["ll", "l", (rest) => measure(`${rest}l`) > 1]], word),
];

const plurals: readonly SuffixRule[] = [
  ["sses", "ss"],
  ["ies", "i"],
  ["ss", "ss"],
  ["s", ""],
];

function withoutPast(word: string): string {
  if (word.endsWith("ied")) return word.length === 4 ? word.slice(0, -1) : word.slice(0, -2);
  if (word.endsWith("eed")) return applied([["eed", "ee", isLong]], word);
  const suffix = ["ed", "ing"].find((own) => word.endsWith(own) && shape(word.slice(0, -own.length)).includes("v"));
  return suffix === undefined ? word : restored(word.slice(0, -suffix.length));
}

/** A word that has lost -ed or -ing, with the end that it had before it got one of them. */
function restored(rest: string): string {
  if (/(?:at|bl|iz)$/.test(rest)) return `${rest}e`;
  if (rest.at(-1) === rest.at(-2) && endsInConsonant(rest)) return /[lsz]$/.test(rest) ? rest : rest.slice(0, -1);
  return measure(rest) === 1 && endsShort(rest) ? `${rest}e` : rest;
}

const doubleSuffixes: readonly SuffixRule[] = [
  ["ational", "ate", isLong],
  ["tional", "tion", isLong],
  ["enci", "ence", isLong],
  ["anci", "ance", isLong],
  ["izer", "ize", isLong],
  ["bli", "ble", isLong],
  ["alli", "al", isLong],
  ["entli", "ent", isLong],
  ["eli", "e", isLong],
  ["ousli", "ous", isLong],
  ["ization", "ize", isLong],
  ["ation", "ate", isLong],
  ["ator", "ate", isLong],
  ["alism", "al", isLong],
  ["iveness", "ive", isLong],
  ["fulness", "ful", isLong],
  ["ousness", "ous", isLong],
  ["aliti", "al", isLong],
  ["iviti", "ive", isLong],
  ["biliti", "ble", isLong],
  ["fulli", "ful", isLong],
  // The l counts with what is before it, as in "theology".
  ["logi", "log", (rest) => isLong(`${rest}l`)],
];

function withoutDoubleSuffix(word: string): string {
  const isAlly = word.endsWith("alli") && isLong(word.slice(0, -4));
  return isAlly ? withoutDoubleSuffix(word.slice(0, -2)) : applied(doubleSuffixes, word);
}

const adjectives: readonly SuffixRule[] = [
  ["icate", "ic", isLong],
  ["ative", "", isLong],
  ["alize", "al", isLong],
  ["iciti", "ic", isLong],
  ["ical", "ic", isLong],
  ["ful", "", isLong],
  ["ness", "", isLong],
];

const endings: readonly SuffixRule[] = "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
  .split(" ")
  .map((suffix) => [suffix, "", (rest) => measure(rest) > 1 && (suffix !== "ion" || /[st]$/.test(rest))]);

function withoutLastE(word: string): string {
  if (!word.endsWith("e")) return word;
  const rest = word.slice(0, -1);
  const length = measure(rest);
  return length > 1 || (length === 1 && !endsShort(rest)) ? rest : word;
}

function applied(rules: readonly SuffixRule[], word: string): string {
  for (const [suffix, replacement, passes] of rules) {
    if (!word.endsWith(suffix)) continue;
    const rest = word.slice(0, word.length - suffix.length);
    return passes?.(rest) === false ? word : rest + replacement;
  }
  return word;
}

/** A c for each consonant and a v for each vowel: y is the one that the letter before it is not, and a consonant at the beginning. */
function shape(word: string): string {
  let letters = "";
  for (const letter of word) {
    const isVowel = /[aeiou]/.test(letter) || (letter === "y" && letters.endsWith("c"));
    letters += isVowel ? "v" : "c";
  }
  return letters;
}

/** How many times consonants follow vowels: Porter's m. */
function measure(word: string): number {
  return shape(word).split("vc").length - 1;
}

function isLong(word: string): boolean {
  return measure(word) > 0;
}

function endsInConsonant(word: string): boolean {
  return shape(word).endsWith("c");
}

/** Porter's *o: consonant, vowel, consonant other than w, x and y; or, for nltk, a vowel and a consonant alone. */
function endsShort(word: string): boolean {
  const letters = shape(word);
  return letters === "vc" || (letters.endsWith("cvc") && !/[wxy]$/.test(word));
}
