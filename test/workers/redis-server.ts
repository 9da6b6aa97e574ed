import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";

/** Whether this machine has a Redis to start. */
export const hasRedis: boolean = spawnSync("redis-server", ["--version"]).status === 0;

/** A Redis that keeps nothing on the disk. */
export interface RedisServer {
  readonly url: string;
  /** Ends it at once, with all that it holds. */
  readonly kill: () => Promise<void>;
  /** Begins anew, empty, at the same place. */
  readonly start: () => Promise<void>;
}

/** Starts one for the calling test, at a free port of this machine. */
export async function startRedis(password?: string): Promise<RedisServer> {
  const [folder, port] = [await temporaryFolder(), await freePort()];
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn("redis-server", [...args, ...(password === undefined ? [] : ["--requirepass", password])], {
      stdio: "ignore",
    });
    while (!(await answers(port))) {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
      await sleep(20);
    }
  };
  const kill = async (): Promise<void> => {
    const ended = once(server, "exit");
    if (server.kill("SIGKILL")) await ended;
  };
  onTestFinished(kill);
  await start();
  return { url: `redis://127.0.0.1:${port}`, kill, start };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
