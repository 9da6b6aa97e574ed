import { UserError } from "../errors.ts";

/** Where a Redis is and who asks, as its clients take it. */
export interface RedisPlace {
  /** For people: without the password. */
  readonly shown: string;
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    readonly tls?: object;
  };
}

const EXPECTED = "expected redis://[user:password@]host[:port][/database], or rediss:// for TLS";

/**
 * Reads the URL of a Redis; a password that it does not have is that of REDISCLI_AUTH, as redis-cli takes it, where other users of
 * the machine do not see it. A UserError for any other text, which it does not show, since that may be a password.
 */
export function redisPlace(text: string, { REDISCLI_AUTH: ofEnvironment }: NodeJS.ProcessEnv): RedisPlace {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "") {
    throw new UserError(`${EXPECTED}, found another text`);
  }
  const [host, port] = [url.hostname.replace(/^\[(.*)\]$/, "$1"), Number(url.port || 6379)];
  const path = url.pathname.replace(/^\//, "");
  if (!/^\d{0,4}$/.test(path)) throw new UserError(`${EXPECTED}, found a database that is no number`);
  const [username, password] = [decoded(url.username), decoded(url.password) || (ofEnvironment ?? "")];
  return {
    shown: `${url.protocol}//${username === "" ? "" : `${encodeURIComponent(username)}@`}${url.host}${url.pathname}`,
    connection: {
      host,
      port,
      db: Number(path),
      ...(username !== "" && { username }),
      ...(password !== "" && { password }),
      ...(url.protocol === "rediss:" && { tls: {} }),
    },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UserError(`${EXPECTED}, found a % in user or password that is not written as %25`);
  }
}
