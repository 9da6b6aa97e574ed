import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { recordedExperiment } from "../../src/experiment/recorded-experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { checksum } from "../../src/journal/record-line.ts";
import { runReport } from "../../src/report/run-report.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { checkRecords } from "../../src/run/check-records.ts";
import { readOutcome, resumeRun } from "../../src/run/run-experiment.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { sharedRun } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** A journal takes milliseconds, so the suite meets a part; `EVOMERGE_MUTATIONS=100000` is the full count. */
const COUNT = Number(env["EVOMERGE_MUTATIONS"] ?? 2000);
const SEED = Number(env["EVOMERGE_MUTATIONS_SEED"] ?? 1);
/** Where to begin, to meet one again. */
const FIRST = Number(env["EVOMERGE_MUTATIONS_FROM"] ?? 0);
/** Of the journals that are sound, one in so many is carried on with, which takes the models. */
const CARRIED_ON = 50;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** JSON texts that no record holds where they are put. */
const wild: readonly string[] = [
  "null true 0 -0 -1 1.5 2 7 1e308 -1e308 5e-324 9007199254740993 1e15 1e400 [] {} [[]] [null]".split(" "),
  ['""', '"x"', '"__proto__"', '"constructor"', '"\\u2028\\u0000\\ud800"', JSON.stringify("a".repeat(100_000))],
  ['{"length":2}', '{"__proto__":{"loss":1}}', '{"toString":1,"valueOf":1,"toJSON":1}', '{"$number":"NaN"}'],
  ['{"$number":"Infinity"}', '{"$number":"-0"}', '{"$number":"7"}', '{"$number":"NaN","a":1}'],
  [`${"[".repeat(500)}${"]".repeat(500)}`, `[${"0,".repeat(9999)}0]`],
].flat();

/** A mark that is replaced with a wild text once the rest is JSON. */
const MARK = "wild value goes here";

const run = sharedRun();

/** Every value inside a value, as the object or list that holds it and the key there. */
function places(value: Json, found: [holder: Json[] | { [key: string]: Json }, key: string][] = []): typeof found {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    places((value as { [key: string]: Json })[key]!, found);
  }
  return found;
}

/** Changes one value of an entry; returns its text. */
function changeValue(entry: Json, random: RandomStream): string {
  const all = places(entry);
  const [holder, key] = all[random.integer(all.length)]!;
  const object = holder as { [key: string]: Json };
  const isList = Array.isArray(holder);
  switch (random.integer(6)) {
    case 0:
      if (isList) holder.splice(Number(key), 1);
      else delete object[key];
      break;
    case 1:
      if (isList) holder.push(structuredClone(object[key]!));
      else object[`${key}x`] = object[key]!;
      break;
    case 2: {
      const [other, name] = all[random.integer(all.length)]!;
      object[key] = structuredClone((other as { [key: string]: Json })[name]!);
      break;
    }
    case 3:
      if (typeof object[key] === "number") object[key] *= [-1, 2, 0.5, 1e9, 1 + 2 ** -52][random.integer(5)]!;
      break;
    default:
      object[key] = MARK;
  }
  const text = JSON.stringify(entry);
  return text.replace(JSON.stringify(MARK), () => wild[random.integer(wild.length)]!);
}

const bodyOf = (line: string): string => line.replace(/,"checksum":"[0-9a-f]{8}"\}$/, "}");
const sealed = (body: string): string => `${body.slice(0, -1)},"checksum":"${checksum(body)}"}`;

/** The lines with other numbers in their sequence, so that only what they hold can be wrong. */
const renumbered = (lines: readonly string[]): string[] =>
  lines.map((line, i) => sealed(bodyOf(line).replace(/^\{"sequence":\d+/, `{"sequence":${i}`)));

const text = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(""));

/** What is wrong for the user, if anything; any other error is one. */
function faultOf(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** One mutated journal. */
function mutate(lines: readonly string[], random: RandomStream): Buffer {
  const at = random.integer(lines.length);
  const kind = random.integer(10);
  if (kind === 0) {
    const bytes = text(lines);
    for (let i = 0; i <= random.integer(3); i += 1) bytes[random.integer(bytes.length)] = random.integer(256);
    return random.integer(2) === 0 ? bytes : bytes.subarray(0, random.integer(bytes.length));
  }
  if (kind === 1) {
    const other = random.integer(lines.length);
    const moved = [
      lines.toSpliced(at, 1),
      lines.toSpliced(at, 0, lines[other]!),
      lines.with(at, lines[other]!).with(other, lines[at]!),
      lines.slice(0, at + 1),
    ][random.integer(4)]!;
    return text(random.integer(4) === 0 ? moved : renumbered(moved));
  }
  let body = bodyOf(lines[at]!);
  for (let i = 0; i <= random.integer(2); i += 1) {
    try {
      body = changeValue(JSON.parse(body) as Json, random);
    } catch {
      break; // What was put there is no JSON for this parser, or a part of it is gone.
    }
  }
  return text(lines.with(at, sealed(body)));
}

test(`${COUNT} mutated journals are sound or refused in one sentence`, async () => {
  const folder = join(await temporaryFolder(), "run");
  mkdirSync(folder);
  cpSync(join(run.folder, "losses.bin"), join(folder, "losses.bin"));
  const path = join(folder, "journal.jsonl");
  const lines = readFileSync(join(run.folder, "journal.jsonl"), "utf8").trimEnd().split("\n");
  const { workspace, tasks, experiment } = await readOutcome(run.folder);
  await workspace[Symbol.asyncDispose]();
  const genome = buildGenome(experiment.space, { experts: workspace.experts, layers: workspace.model.layers });

  const tally = { refused: 0, sound: 0, carriedOn: 0, refusedLater: 0 };
  let slowestMs = 0;
  for (let number = FIRST; number < FIRST + COUNT; number += 1) {
    const random = RandomStream.of(SEED, "journals", number);
    const bytes = mutate(lines, random);
    writeFileSync(path, bytes);
    const began = performance.now();
    try {
      // Everything that reads a journal short of the models.
      const fault = faultOf(() => {
        const view = readJournal(folder);
        const { records } = view;
        const [start] = records;
        const recorded = recordedExperiment(folder, start?.type === "start" ? start.experiment : undefined);
        checkRecords(folder, records, { experiment: recorded, genome, tasks, workspace });
        expect(runReport(folder, records, [])).toContain("# run");
        for (const record of records) {
          if ("rowLosses" in record) faultOf(() => void view.readLosses(record.rowLosses));
          if ("logLikelihoods" in record) faultOf(() => void view.readLosses(record.logLikelihoods));
        }
      });
      slowestMs = Math.max(slowestMs, performance.now() - began);
      if (fault === undefined) {
        tally.sound += 1;
        if (tally.sound % CARRIED_ON === 0) {
          const carriedOn = await carryOn(folder);
          tally[carriedOn === undefined ? "carriedOn" : "refusedLater"] += 1;
        }
      } else {
        tally.refused += 1;
        expect(fault).toMatch(/^[^\n]*$/);
        expect(fault.length).toBeLessThan(1000);
      }
    } catch (cause) {
      throw new Error(`seed ${SEED}, number ${number}`, { cause });
    }
  }
  expect(slowestMs).toBeLessThan(10_000);
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
  expect(tally.refused).toBeGreaterThan(COUNT / 2);
  expect(tally.sound).toBeGreaterThan(COUNT / 50);
  if (env["EVOMERGE_MUTATIONS"]) process.stdout.write(`${JSON.stringify({ ...tally, slowestMs })}\n`);
}, 3_600_000);

/** Reads a run's outcome, writes its tables and resumes it; what is wrong, where that is for the user. */
async function carryOn(folder: string): Promise<string | undefined> {
  const works = [
    async (): Promise<void> => (await readOutcome(folder)).workspace[Symbol.asyncDispose](),
    async (): Promise<void> => writeTables(folder),
    async (): Promise<void> => void (await resumeRun(folder, { budget: undefined })),
  ];
  let said: string | undefined;
  for (const work of works) {
    await work().catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      said = error.message;
    });
  }
  return said;
}
