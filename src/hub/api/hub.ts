import { homedir } from "node:os";
import { join } from "node:path";
import { readTextWithin } from "../../files/read-file.ts";
import { UserError } from "../../errors.ts";
import { type Connection, type RequestPace, retryingFetch } from "./retrying-fetch.ts";

/** A way to the Hugging Face Hub: where it is, who asks, and where downloads are kept. */
export interface Hub extends Connection {
  /** The variable or the file that the token comes from. */
  readonly tokenSource: string;
  /** Folder of the cache, shared with Python's huggingface_hub. */
  readonly cache: string;
  /** Adds the token, and repeats what fails for a while; the body is read already, within limits of time and size. */
  readonly fetch: typeof fetch;
  /** As `fetch`, for the content of files: whoever reads the body sets the limits. */
  readonly stream: typeof fetch;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The Hub as Python's huggingface_hub would find it from the same environment; a UserError for settings that cannot be. */
export async function openHub(environment: Environment = process.env, pace: Partial<RequestPace> = {}): Promise<Hub> {
  const home = expandHome(
    environment["HF_HOME"] || join(environment["XDG_CACHE_HOME"] || join(homeOf(environment), ".cache"), "huggingface"),
    environment,
  );
  const cache = environment["HF_HUB_CACHE"] || environment["HUGGINGFACE_HUB_CACHE"] || join(home, "hub");
  const { token, source } = await findToken(environment, home);
  const settings = {
    endpoint: readEndpoint(environment["HF_ENDPOINT"] || "https://huggingface.co"),
    ...(token === undefined ? {} : { token }),
    tokenSource: source,
    offline: /^(1|on|yes|true)$/i.test(environment["HF_HUB_OFFLINE"] ?? ""),
    cache: expandHome(cache, environment),
    pace: { backoffMs: 1000, patienceMs: 30_000, ...pace },
  };
  const reach = { answered: false, failed: false };
  return {
    ...settings,
    fetch: retryingFetch(settings, "whole", reach),
    stream: retryingFetch(settings, "stream", reach),
  };
}

function homeOf(environment: Environment): string {
  return environment["HOME"] || homedir();
}

function expandHome(path: string, environment: Environment): string {
  return path.replace(/^~(?=$|[/\\])/, () => homeOf(environment));
}

function readEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A name and password are refused by fetch, in an error that shows them.
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new UserError(
      "HF_ENDPOINT: expected the address of a Hub, such as https://huggingface.co, without name or password",
    );
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

async function findToken(environment: Environment, home: string): Promise<{ token?: string; source: string }> {
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
    const token = checkToken(environment[name], name);
    if (token !== undefined) return { token, source: name };
  }
  const path = expandHome(environment["HF_TOKEN_PATH"] || join(home, "token"), environment);
  const token = checkToken(await readIfPresent(path), path);
  return { ...(token === undefined ? {} : { token }), source: path };
}

/** A header would refuse a token with other characters, in an error that shows it. */
function checkToken(text: string | undefined, source: string): string | undefined {
  const token = text?.trim();
  if (token === undefined || token === "") return undefined;
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UserError(`${source}: expected a token, one line such as hf_…, without spaces`);
  return token;
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readTextWithin(path, { what: "a token", maxBytes: 10_000 });
  } catch (error) {
    const { cause } = error as Error;
    const isAbsent = cause instanceof Error && "code" in cause && ["ENOENT", "ENOTDIR"].includes(String(cause.code));
    if (isAbsent) return undefined;
    throw error;
  }
}
