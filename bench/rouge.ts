/** What ROUGE of long texts costs: `npx tsx bench/rouge.ts`. Two texts of as many words, drawn from so many kinds, in so many lines. */
import { alignedText } from "../src/report/text/text-table.ts";
import { rouge } from "../src/rouge/rouge.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { interleave, timed } from "./interleave.ts";
import { machine } from "./machine.ts";

const WORDS = 60_000;
const REPETITIONS = 3;

const shapes = [
  { kinds: 1, lines: 1 },
  { kinds: 4, lines: 1 },
  { kinds: 5000, lines: 1 },
  { kinds: 1, lines: 6000 },
  { kinds: 4, lines: 6000 },
  { kinds: 60_000, lines: 6000 },
];

function textOf(random: RandomStream, kinds: number, lines: number): string {
  const line = (): string => Array.from({ length: WORDS / lines }, () => `w${random.integer(kinds)}`).join(" ");
  return Array.from({ length: lines }, line).join("\n");
}

console.log(`${machine()}\n`);
const rows: string[][] = [];
for (const { kinds, lines } of shapes) {
  const random = RandomStream.of(1, "texts", kinds, lines);
  const [target, prediction] = [textOf(random, kinds, lines), textOf(random, kinds, lines)];
  const { both } = await interleave({ both: () => timed(async () => void rouge(target, prediction)) }, REPETITIONS);
  rows.push([String(kinds), String(lines), both.wall.toFixed(2), both.cpu.toFixed(2)]);
}
console.log(alignedText({ header: ["kinds of words", "lines", "wall s", "CPU s"], rows }));
