import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, connect } from "node:net";
import { join } from "node:path";
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

export interface RedisOptions {
  readonly password?: string;
  /** PEM files by which it is known; then it speaks TLS alone. */
  readonly tls?: Identity;
}

export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** Whether this machine can make a certificate, and its Redis was built with TLS. */
export const hasTls: boolean =
  hasRedis &&
  spawnSync("openssl", ["version"]).status === 0 &&
  spawnSync("sh", ["-c", "ldd $(command -v redis-server) | grep -q libssl"]).status === 0;

/** A certificate for this machine, signed by itself, of the calling test. */
export async function selfSigned(): Promise<Identity> {
  const folder = await temporaryFolder();
  const identity = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
  const subject = ["-subj", "/CN=evomerge", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
  const { status } = spawnSync("openssl", [...made, "-keyout", identity.key, "-out", identity.certificate]);
  if (status !== 0) throw new Error("openssl makes no certificate");
  return identity;
}

/** Starts one for the calling test, at a free port of this machine. */
export async function startRedis({ password, tls }: RedisOptions = {}): Promise<RedisServer> {
  const [folder, port] = [await temporaryFolder(), await freePort()];
  const args = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  if (password !== undefined) args.push("--requirepass", password);
  if (!tls) args.push("--port", String(port));
  else {
    args.push("--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no");
    args.push("--tls-cert-file", tls.certificate, "--tls-key-file", tls.key);
  }
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn("redis-server", args, { stdio: "ignore" });
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
  return { url: `${tls ? "rediss" : "redis"}://127.0.0.1:${port}`, kill, start };
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
