import { describe, expect, test } from "vitest";
import { redisPlace } from "../../src/workers/redis-place.ts";

describe("redisPlace", () => {
  test("reads host, port, database, user, password and whether TLS is used", () => {
    expect(redisPlace("redis://localhost", {})).toEqual({
      shown: "redis://localhost",
      connection: { host: "localhost", port: 6379, db: 0 },
    });
    expect(redisPlace("rediss://me:a%2Fb@redis.example:7000/3", {})).toEqual({
      shown: "rediss://me@redis.example:7000/3",
      connection: { host: "redis.example", port: 7000, db: 3, username: "me", password: "a/b", tls: {} },
    });
    expect(redisPlace("redis://[::1]:7000", {}).connection.host).toBe("::1");
  });

  test("takes a password that the URL has not from REDISCLI_AUTH", () => {
    const env = { REDISCLI_AUTH: "secret" };
    expect(redisPlace("redis://localhost", env).connection.password).toBe("secret");
    expect(redisPlace("redis://:own@localhost", env).connection.password).toBe("own");
  });

  test.each(["secret", "http://:secret@host", "redis://:secret@", "redis://:%secret@host", "redis://:secret@host/x"])(
    "refuses %s without showing what may be a password",
    (text) => {
      expect(() => redisPlace(text, {})).toThrow("expected redis://[user:password@]host");
      expect(() => redisPlace(text, {})).not.toThrow(/secret/);
    },
  );
});
