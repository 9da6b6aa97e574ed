import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, ftruncateSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { explainFailure } from "../files/durable-write.ts";
import { printableJson } from "../files/printable.ts";
import { openRegularFile, readAt, readingRegularFile } from "../files/regular-file.ts";
import { replaceableFile } from "../files/replaceable-file.ts";
import { reasonOf } from "../files/system-error.ts";
import { holderInWords, ProcessLock } from "../lock/process-lock.ts";
import { type Clock, systemClock } from "../run/time/clock.ts";
import type { RunEnd, RunEvent } from "../run/session/events.ts";
import { loggedEvent } from "../run/session/logged-event.ts";

/** Of what moves all the time, a line is written that often. */
const PAUSE_MS = 1000;

/** What such a file begins with, and more bytes than that is long. */
const BEGINNING = /^\{"time":"[\dT:.Z-]+",(?:"elapsed":[\d.e+-]+,)?"type":"[a-z]+"/;
const BEGINNING_BYTES = 100;

/**
 * A file to which the events of a run are appended as JSON lines, each whole and as it happens. One process at a time
 * writes to it. Once a write fails, which is told once, nothing more is written, and the run goes on.
 */
export class EventLog implements Disposable {
  readonly #path: string;
  readonly #lock: ProcessLock;
  readonly #descriptor: number;
  readonly #onFailure: (sentence: string) => void;
  readonly #clock: Clock;
  /** Length of the file behind the last whole line. */
  #bytes: number;
  #isOver = false;
  /** What moves, as it was last written. */
  #moving: { readonly kind: string; readonly at: number } | undefined;

  /** A UserError where the file cannot be written, holds something else than events, or is written by another run. */
  static async open(path: string, onFailure: (sentence: string) => void, clock = systemClock): Promise<EventLog> {
    const place = resolve(await replaceableFile(path));
    const lock = explainFailure(path, () => ProcessLock.tryAcquire(dirname(place), lockName(place)));
    if (!(lock instanceof ProcessLock)) throw new UserError(`${path} is in use by ${holderInWords(lock)}`);
    try {
      return new EventLog(
        path,
        explainFailure(path, () => openToAppend(path, place)),
        lock,
        onFailure,
        clock,
      );
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(
    path: string,
    { descriptor, bytes }: OpenedLog,
    lock: ProcessLock,
    onFailure: (sentence: string) => void,
    clock: Clock,
  ) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#bytes = bytes;
    this.#lock = lock;
    this.#onFailure = onFailure;
    this.#clock = clock;
  }

  /** Appends an event, with what the run's clock shows; it is in the file when this returns. */
  write(event: RunEvent | RunEnd, elapsedMs?: number): void {
    if (this.#isOver || !this.#isDue(event)) return;
    const line = `${printableJson(loggedEvent(event, new Date(), elapsedMs))}\n`;
    try {
      writeFileSync(this.#descriptor, line);
      this.#bytes += Buffer.byteLength(line);
    } catch (error) {
      this.#isOver = true;
      this.#cutOff();
      this.#onFailure(`no more events are written to ${this.#path}: ${reasonOf(error)}`);
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    closeSync(this.#descriptor);
    this.#lock[Symbol.dispose]();
  }

  /** Of what moves the beginning is written, the end, and what is a pause behind the last. */
  #isDue(event: RunEvent | RunEnd): boolean {
    const moving = movingPart(event);
    if (!moving) return true;
    const now = this.#clock.now();
    const last = this.#moving;
    if (last?.kind === moving.kind && now < last.at + PAUSE_MS && moving.share < 1) return false;
    this.#moving = { kind: moving.kind, at: now };
    return true;
  }

  /** Removes the part of a line that a full disk had room for. A file that somebody emptied meanwhile is left as it is. */
  #cutOff(): void {
    try {
      if (fstatSync(this.#descriptor).size > this.#bytes) ftruncateSync(this.#descriptor, this.#bytes);
    } catch {
      // The next run ends that line.
    }
  }
}

interface OpenedLog {
  readonly descriptor: number;
  readonly bytes: number;
}

/** Opens the file, or makes it, once it is known to hold nothing but events. */
function openToAppend(path: string, place: string): OpenedLog {
  const descriptor = openRegularFile(place, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  try {
    const { first, last } = readingRegularFile(place, (reading, size) => ({
      first: readAt(reading, 0, BEGINNING_BYTES).toString("latin1"),
      last: readAt(reading, Math.max(0, size - 1), 1).toString("latin1"),
    }));
    if (first !== "" && !BEGINNING.test(first))
      throw new UserError(`cannot write ${path}: it is there and holds no events; choose another name`);
    // A machine that stopped may have left a part of a line, behind which no other may begin.
    if (first !== "" && last !== "\n") writeFileSync(descriptor, "\n");
    return { descriptor, bytes: fstatSync(descriptor).size };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Of any two files another, none of which is how another begins. */
function lockName(place: string): string {
  return `.events-${createHash("sha256").update(basename(place)).digest("hex").slice(0, 16)}`;
}

/** What moves far more often than anybody reads, and how much of it is done; undefined for steps. */
function movingPart(event: RunEvent | RunEnd): { readonly kind: string; readonly share: number } | undefined {
  if (event.type === "progress") return { kind: event.phase, share: event.share };
  return "doneBytes" in event
    ? { kind: event.type, share: event.doneBytes / Math.max(1, event.totalBytes) }
    : undefined;
}
