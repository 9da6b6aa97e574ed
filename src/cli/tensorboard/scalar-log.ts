import { closeSync, constants, ftruncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRegularFile } from "../../files/regular-file.ts";
import { reasonOf } from "../../files/system-error.ts";
import type { RunEvent } from "../../run/session/events.ts";
import { scalarMessage, untimedText, versionMessage } from "./event-message.ts";
import { eventFileName, type ScalarFolder } from "./scalar-folder.ts";
import { scalarsOf } from "./scalars-of.ts";
import { tfRecord } from "./tf-record.ts";

/**
 * Writes the scalars of a run's events into a folder as TensorBoard reads it, each as it happens, into a file of its own,
 * which is made when there is one to write. What is in the folder already is not written again, so that steps which a resumed
 * run replays are there once. Once a write fails, which is told once, nothing more is written, and the run goes on.
 */
export class ScalarLog implements Disposable {
  readonly #folder: ScalarFolder;
  readonly #onFailure: (sentence: string) => void;
  readonly #seconds: () => number;
  #descriptor: number | undefined;
  /** Length of the file behind the last whole record. */
  #bytes = 0;
  /** Generations that were scored, by which all curves are drawn. */
  #step = 0;
  #isOver = false;

  /** `seconds` are those since 1970. */
  constructor(folder: ScalarFolder, onFailure: (sentence: string) => void, seconds = () => Date.now() / 1000) {
    this.#folder = folder;
    this.#onFailure = onFailure;
    this.#seconds = seconds;
  }

  /** Appends what an event has of scalars; it is in the file when this returns. */
  write(event: RunEvent): void {
    if (this.#isOver) return;
    if (event.type === "generation") this.#step = event.generation + 1;
    const now = this.#seconds();
    const step = this.#step;
    const messages = Object.entries(scalarsOf(event))
      .map(([tag, value]) => scalarMessage({ tag, step, value }, now))
      .filter((message) => !this.#folder.written.has(untimedText(message)));
    if (messages.length > 0) this.#append(messages, now);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #append(messages: readonly Buffer[], now: number): void {
    try {
      const isFirst = this.#descriptor === undefined;
      this.#descriptor ??= this.#make(now);
      const records = (isFirst ? [versionMessage(now), ...messages] : messages).map(tfRecord);
      writeFileSync(this.#descriptor, Buffer.concat(records));
      this.#bytes += records.reduce((sum, { length }) => sum + length, 0);
    } catch (error) {
      this.#isOver = true;
      this.#cutOff();
      this.#onFailure(`no more scalars are written to ${this.#folder.path}: ${reasonOf(error)}`);
    }
  }

  #make(now: number): number {
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
    const path = join(this.#folder.path, eventFileName(this.#folder.mark, now));
    return openRegularFile(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
  }

  /** Removes the part of a record that a full disk had room for. */
  #cutOff(): void {
    try {
      if (this.#descriptor !== undefined) ftruncateSync(this.#descriptor, this.#bytes);
    } catch {
      // Readers stop at a record that is not whole.
    }
  }
}
