/**
 * What a row without a named group is about, as far as its text shows it.
 * @module
 */

/** What the rows of one task begin with, and from how many of them that was learnt. */
export interface Heading {
  readonly line: string;
  readonly rows: number;
  readonly outOf: number;
}

/** A row as it was read. */
interface RowText {
  readonly kind: "choice" | "text";
  readonly context: string;
}

/** A passage with so many questions or fewer may be one, though most rows of a small file are about it. */
const MOST_QUESTIONS = 10;
/** Of an instruction. */
const MOST_LINES = 20;

/**
 * The lines, one after the other, that more than half of the rows begin with: instructions, which say nothing of what a
 * row is about.
 */
export function headingsOf(prompts: readonly RowText[]): Heading[] {
  const headings: Heading[] = [];
  let bodies = prompts.map(({ context }) => bodyOf(context));
  while (headings.length < MOST_LINES) {
    const counts = new Map<string, number>();
    for (const line of bodies.map(firstLine)) if (line !== undefined) counts.set(line, (counts.get(line) ?? 0) + 1);
    const common = [...counts].find(([, rows]) => rows > MOST_QUESTIONS && 2 * rows > prompts.length);
    if (!common) break;
    const [line, rows] = common;
    headings.push({ line, rows, outOf: prompts.length });
    bodies = bodies.map((body) => withoutLine(body, line));
  }
  return headings;
}

/** The passage, article or question that a prompt is about, behind headings that many prompts share. */
export function passageOf({ kind, context }: RowText, headings: readonly string[] = []): string {
  const body = headings.reduce(withoutLine, bodyOf(context));
  return kind === "choice" ? passageBeforeQuestion(body) : articleOf(body);
}

function withoutLine(body: string, line: string): string {
  return firstLine(body) === line ? body.slice(line.length + 1) : body;
}

/** The first line of what has several. */
function firstLine(text: string): string | undefined {
  const end = text.indexOf("\n");
  return end < 0 ? undefined : text.slice(0, end);
}

/** A prompt without the instruction of CosmosQA's templates. */
function bodyOf(context: string): string {
  return context.replace(/^Read the following context[^\n]*\nContext: /, "");
}

/**
 * The passage that a CosmosQA prompt asks about. Its ten templates put the passage first, behind an instruction at most,
 * and then either a known phrase or, on a line of its own, the question.
 */
function passageBeforeQuestion(body: string): string {
  const end = body.search(/\n(?:According to the above context|Question:)/);
  if (end > 0) return body.slice(0, end).trim();
  const first = body.indexOf("\n");
  // A short first line is an instruction or a heading, which many rows may share.
  return (first >= 0 && longestLine(body, first + 1) < first ? body.slice(0, first) : body).trim();
}

/** The text that a prompt is about: its first line where the rest, such as `Summary:`, is shorter, else all of it. */
function articleOf(input: string): string {
  const first = input.indexOf("\n");
  return 2 * first > input.length ? input.slice(0, first) : input;
}

/** Length of the longest line from an offset on; lines are not made, since a text may be nothing but line ends. */
function longestLine(text: string, from: number): number {
  let longest = 0;
  for (let start = from; start <= text.length;) {
    const next = text.indexOf("\n", start);
    const end = next < 0 ? text.length : next;
    longest = Math.max(longest, end - start);
    start = end + 1;
  }
  return longest;
}
