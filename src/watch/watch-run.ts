import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { CommandFor } from "../report/next-steps.ts";
import { FollowedRun } from "./followed-run.ts";
import { servePage, type ServedPage, type ServerOptions } from "./page-server.ts";

export interface WatchOptions extends Partial<ServerOptions> {
  /** How the commands are worded that the page tells. */
  readonly commandFor?: CommandFor | undefined;
}

/** A run that is shown, until it is disposed of. */
export interface WatchedRun extends AsyncDisposable {
  /** Of the page: whoever knows it can see the run. */
  readonly address: string;
}

/** How often a run is looked at, and a browser at least hears something, by which it is seen that it listens still. */
const LOOK_MS = 1000;
const BEAT_MS = 15_000;
/** So small a part of one processor makes the page anew at most: they are the run's. */
const SHARE = 1 / 20;
/** As old as this a page may be, whatever that takes. */
const LONGEST_PAUSE_MS = 10_000;
/** Bytes that wait for a browser which does not take them. */
const MOST_WAITING = 2 ** 20;

/**
 * Shows a run as a page in the browser that grows while the run goes on, also over its end, a crash and its resumption: on the loopback
 * address, to those who know the token in the address. The folder may be empty yet; nothing is written there, and no lock is taken.
 */
export async function watchRun(folder: string, options: WatchOptions = {}): Promise<WatchedRun> {
  const { token = newToken(), port, commandFor } = options;
  const watched = new Watched(new FollowedRun(folder, commandFor), port !== undefined);
  const server = await servePage(watched, { token, port });
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await watched.end();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** 128 random bits. */
function newToken(): string {
  return randomBytes(16).toString("hex");
}

/** A run and the browsers that listen; without any, nobody looks at it. */
class Watched implements ServedPage {
  readonly #run: FollowedRun;
  readonly #listeners = new Set<ServerResponse>();
  #making: Promise<void> | undefined;
  /** Whether it may be shown again where it was. */
  readonly #comesBack: boolean;
  /** When the page may be made anew. */
  #notBefore = 0;
  #looking: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;

  constructor(run: FollowedRun, comesBack: boolean) {
    this.#run = run;
    this.#comesBack = comesBack;
  }

  async page(): Promise<string> {
    await this.#make();
    return this.#run.page;
  }

  part(id: string): string | undefined {
    return this.#run.parts.find((part) => part.id === id)?.content.toString();
  }

  listen(response: ServerResponse): void {
    response.on("close", () => this.#leave(response));
    this.#listeners.add(response);
    // Of a page that was not made yet there is nothing to tell: it will be told to all.
    if (this.#run.parts.length > 0) this.#tell(response, this.#versions());
    void this.#make();
    this.#looking ??= setInterval(() => void this.#make(), LOOK_MS);
    this.#beating ??= setInterval(() => this.#tellAll(":\n\n"), BEAT_MS);
  }

  /** Tells the last state, and that there will be no other. */
  async end(): Promise<void> {
    await this.#making;
    await this.#makeNow();
    this.#tellAll(`event: end\ndata: ${this.#comesBack ? "again" : ""}\n\n`);
    for (const listener of this.#listeners) listener.end();
  }

  /** Makes the page anew where it is time for that and there is anything new. */
  async #make(): Promise<void> {
    if (performance.now() < this.#notBefore) return;
    await (this.#making ??= this.#makeNow());
  }

  async #makeNow(): Promise<void> {
    const before = process.cpuUsage();
    // The first time, when what draws is loaded, says little of how long it takes.
    const isFirst = this.#run.parts.length <= 1;
    try {
      if (await this.#run.refresh()) this.#tellAll(this.#versions());
    } finally {
      const { user, system } = process.cpuUsage(before);
      const pauseMs = Math.min(LONGEST_PAUSE_MS, (user + system) / 1000 / SHARE);
      this.#notBefore = isFirst ? 0 : performance.now() + pauseMs;
      this.#making = undefined;
    }
  }

  #versions(): string {
    return `data: ${JSON.stringify(this.#run.parts.map(({ id, version }) => [id, version]))}\n\n`;
  }

  #tellAll(message: string): void {
    for (const listener of this.#listeners) this.#tell(listener, message);
  }

  #tell(listener: ServerResponse, message: string): void {
    listener.write(message);
    if (listener.writableLength > MOST_WAITING) listener.destroy();
  }

  #leave(listener: ServerResponse): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#looking);
    clearInterval(this.#beating);
    this.#looking = this.#beating = undefined;
  }
}
