import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { recordedExperiment } from "../../src/experiment/recorded-experiment.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { checksum } from "../../src/journal/record-line.ts";
import { runReport } from "../../src/report/run-report.ts";
import { runPage } from "../../src/report/page/run-page.ts";
import { readRunView } from "../../src/report/write-report.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { noPlugins } from "../../src/plugins/load-plugins.ts";
import { checkRecords } from "../../src/run/recorded/check-records.ts";
import { recordedPaths } from "../../src/run/recorded/places.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { MUTATION_SEED, mutatedBytes, mutatedJson, mutationCount } from "../mutations.ts";
import { cutAfter } from "../cut-run.ts";
import { sharedRun } from "../observed-run.ts";
import { cpuMs } from "../cpu-time.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { mergeSpace } from "../merge-space.ts";

/** A journal takes milliseconds, so the suite meets a part. */
const COUNT = mutationCount(2000);
/** Where to begin, to meet one again. */
const FIRST = Number(env["EVOMERGE_MUTATIONS_FROM"] ?? 0);
/** Of the journals that are sound, one in so many is carried on with, which takes the models. */
const CARRIED_ON = 50;

/** JSON texts that no record holds where they are put. */
const own: readonly string[] = [
  ['{"__proto__":{"loss":1}}', '{"toString":1,"valueOf":1,"toJSON":1}', '{"$number":"NaN"}'],
  ['{"$number":"Infinity"}', '{"$number":"-0"}', '{"$number":"7"}', '{"$number":"NaN","a":1}'],
].flat();

const run = sharedRun();

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
  if (kind === 0) return Buffer.from(mutatedBytes(text(lines), random));
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
  const body = mutatedJson(JSON.parse(bodyOf(lines[at]!)), random, own);
  return text(lines.with(at, sealed(body)));
}

test(`${COUNT} mutated journals are sound or refused in one sentence`, async () => {
  const folder = join(await temporaryFolder(), "run");
  // With records of every kind.
  const longer = cutAfter(run.folder, Infinity, join(await temporaryFolder(), "longer"));
  {
    using journal = Journal.open(longer);
    const base = recordedPaths(run.folder, run.outcome.experiment).base;
    journal.append({ type: "moved", folder: run.folder, base });
  }
  await resumeRun(longer, { budget: { evaluations: 15 } });
  mkdirSync(folder);
  cpSync(join(longer, "numbers.bin"), join(folder, "numbers.bin"));
  const path = join(folder, "journal.jsonl");
  const lines = readFileSync(join(longer, "journal.jsonl"), "utf8").trimEnd().split("\n");
  const { workspace, tasks, experiment } = await readOutcome(run.folder);
  await workspace[Symbol.asyncDispose]();
  const genome = buildGenome(mergeSpace(experiment.space), workspace);

  const tally = { refused: 0, sound: 0, carriedOn: 0, refusedLater: 0 };
  let slowestMs = 0;
  for (let number = FIRST; number < FIRST + COUNT; number += 1) {
    const random = RandomStream.of(MUTATION_SEED, "journals", number);
    const bytes = mutate(lines, random);
    writeFileSync(path, bytes);
    const began = cpuMs();
    try {
      // Everything that reads a journal short of the models.
      const fault = faultOf(() => {
        const view = readJournal(folder);
        const { records } = view;
        const [start] = records;
        const recorded = recordedExperiment(folder, start?.type === "start" ? start.experiment : undefined);
        checkRecords(folder, records, { experiment: recorded, genome, tasks, workspace, plugins: noPlugins });
        expect(runReport(folder, records, [])).toContain("# run");
        for (const record of records) {
          const { rowLosses } = { rowLosses: undefined, ...record };
          if (rowLosses) faultOf(() => void view.readNumbers(rowLosses));
          if ("points" in record) faultOf(() => void view.readPoints(record.points));
          if ("logLikelihoods" in record) faultOf(() => void view.readNumbers(record.logLikelihoods));
        }
      });
      slowestMs = Math.max(slowestMs, cpuMs() - began);
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
      throw new Error(`seed ${MUTATION_SEED}, number ${number}`, { cause });
    }
  }
  expect(slowestMs).toBeLessThan(10_000);
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
  expect(tally.refused).toBeGreaterThan(COUNT / 2);
  expect(tally.sound).toBeGreaterThan(COUNT / 50);
  if (env["EVOMERGE_MUTATIONS"]) process.stdout.write(`${JSON.stringify({ ...tally, slowestMs })}\n`);
}, 3_600_000);

/** Reads a run's outcome, writes its tables and its page, and resumes it; what is wrong, where that is for the user. */
async function carryOn(folder: string): Promise<string | undefined> {
  const works = [
    async (): Promise<void> => (await readOutcome(folder)).workspace[Symbol.asyncDispose](),
    async (): Promise<void> => writeTables(folder),
    async (): Promise<void> => void (await runPage(await readRunView(folder))),
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
