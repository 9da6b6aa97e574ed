import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { FollowedJournal, type JournalView } from "../journal/journal.ts";
import { standingOf } from "../journal/standing.ts";
import type { Writer } from "../journal/writer-lock.ts";
import { benchmarksPath, readBenchmarks } from "../report/benchmarks.ts";
import { type CommandFor, installedCommand } from "../report/next-steps.ts";
import { type PagePart, pageHeader, pageParts, titleOf } from "../report/page/run-page.ts";
import { readWriter, type RunStatus, statusOf } from "../report/runs/run-status.ts";
import { statusSteps } from "../report/runs/status-text.ts";
import type { GuardRows } from "../report/view/row-changes.ts";
import { type RunView, viewRun } from "../report/view/run-view.ts";
import { guardRowsOrWhyNot } from "../report/write-report.ts";
import { DrawnPlots } from "./drawn-plots.ts";
import { emptyHeader, livePage, type LivePart, livePartsOf, stateOf } from "./live-parts.ts";

/** What the page shows of the run. */
interface Shown {
  readonly view: RunView;
  readonly status: RunStatus;
  readonly parts: readonly PagePart[];
}

/** A run as the parts of a page, made anew where there is anything new; read without its lock, and without writing. */
export class FollowedRun {
  readonly #folder: string;
  readonly #commandFor: CommandFor;
  readonly #journal: FollowedJournal;
  readonly #plots = new DrawnPlots();
  #shown: Shown | undefined;
  #parts: readonly LivePart[] = [];
  /** What the parts were made of. */
  #seen: readonly unknown[] = [];
  #guardRows: { readonly verdict: unknown; readonly rows: GuardRows | string } | undefined;

  constructor(folder: string, commandFor: CommandFor = installedCommand) {
    this.#folder = folder;
    this.#commandFor = commandFor;
    this.#journal = new FollowedJournal(folder);
  }

  /** Parts of the page, in their order. */
  get parts(): readonly LivePart[] {
    return this.#parts;
  }

  /** The whole page. */
  get page(): string {
    return livePage(this.#shown ? titleOf(this.#shown.view) : basename(resolve(this.#folder)), this.#parts);
  }

  /** Looks at the run, and makes what has changed; true where anything has. What is amiss with it is told on the page. */
  async refresh(): Promise<boolean> {
    // Before the journal: whoever ends between the two has written all of it.
    const writer = readWriter(this.#folder);
    const journal = this.#read();
    const last = journal instanceof UserError ? journal.message : journal.records.at(-1);
    const seen = [last, JSON.stringify(writer), writtenAt(benchmarksPath(this.#folder))];
    if (seen.every((one, i) => one === this.#seen[i])) return false;
    this.#seen = seen;
    this.#parts = await this.#partsOf(journal, writer);
    return true;
  }

  #read(): JournalView | UserError {
    try {
      return this.#journal.read();
    } catch (error) {
      return userError(error);
    }
  }

  async #partsOf(journal: JournalView | UserError, writer: Writer | undefined): Promise<readonly LivePart[]> {
    try {
      if (journal instanceof UserError) throw journal;
      this.#shown = await this.#show(journal, writer);
      return liveParts(this.#shown);
    } catch (error) {
      const { message } = userError(error);
      // What was there to see is kept.
      if (this.#shown) return liveParts(this.#shown, message);
      return livePartsOf(emptyHeader(this.#folder, `Nothing to show yet: ${message}`), []);
    }
  }

  async #show(journal: JournalView, writer: Writer | undefined): Promise<Shown> {
    const { records } = journal;
    const [folder, commandFor] = [this.#folder, this.#commandFor];
    const [guardRows, benchmarks] = [await this.#guardRowsOf(journal), await readBenchmarks(folder)];
    const status = statusOf(folder, records, writer);
    const view: RunView = {
      ...viewRun(folder, journal, { benchmarks, guardRows, commandFor }),
      steps: statusSteps(status, records, commandFor),
    };
    return { view, status, parts: await pageParts(view, this.#plots.draw) };
  }

  /** Read once for each verdict: there may be many, and far away. */
  async #guardRowsOf(journal: JournalView): Promise<GuardRows | string> {
    const { verdict } = standingOf(journal.records);
    if (!this.#guardRows || this.#guardRows.verdict !== verdict)
      this.#guardRows = { verdict, rows: await guardRowsOrWhyNot(this.#folder, journal) };
    return this.#guardRows.rows;
  }
}

function liveParts({ view, status, parts }: Shown, trouble?: string): readonly LivePart[] {
  return livePartsOf(pageHeader(view, parts, stateOf(status, trouble)), parts);
}

function userError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}

/** Undefined where there is nothing that can be read, of which whoever reads it tells. */
function writtenAt(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}
