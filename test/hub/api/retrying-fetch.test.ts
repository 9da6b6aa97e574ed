import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import { testHub } from "../test-hub.ts";

const always = { match: () => true, times: Infinity };

describe("retryingFetch", () => {
  test.each([{ status: 429 }, { status: 503 }, { hangUp: true as const }])(
    "repeats a request until it succeeds: %j",
    async (fault) => {
      await using server = await LoopbackHub.start();
      server.addModel("org/name", { files: { "config.json": "{}" } });
      server.fail({ match: () => true, times: 2, do: fault });
      const hub = await testHub(server, await temporaryFolder());
      expect((await hub.fetch(`${server.url}/api/models/org/name`)).status).toBe(200);
      expect(server.requests).toHaveLength(3);
    },
  );

  test("repeats a request that gets no answer in time", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "config.json": "{}" } });
    server.fail({ match: () => true, times: 2, do: { stallMs: 3_600_000 } });
    const hub = await testHub(server, await temporaryFolder(), { pace: { patienceMs: 400 } });
    expect((await hub.fetch(`${server.url}/api/models/org/name`)).status).toBe(200);
    // More where the machine has other work.
    expect(server.requests.length).toBeGreaterThanOrEqual(3);
  });

  test("asks again for an answer of the API that was cut off", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "config.json": "{}" } });
    server.fail({ match: () => true, do: { dropAfterBytes: 10 } });
    const hub = await testHub(server, await temporaryFolder());
    const response = await hub.fetch(`${server.url}/api/models/org/name`);
    expect(await response.json()).toMatchObject({ id: "org/name" });
    expect(response.url).toBe(`${server.url}/api/models/org/name`);
  });

  test("waits twice as long each time, and gives up after six tries", async () => {
    await using server = await LoopbackHub.start();
    server.fail({ ...always, do: { status: 500 } });
    const hub = await testHub(server, await temporaryFolder(), { pace: { backoffMs: 20 } });
    const start = performance.now();
    await expect(hub.fetch(`${server.url}/api/x?signature=secret`)).rejects.toThrow(
      new UserError(`${server.url}/api/x answered 500 after 6 tries; try again later`),
    );
    expect(performance.now() - start).toBeGreaterThan((20 + 40 + 80 + 160 + 320) / 2);
    expect(server.requests).toHaveLength(6);
  });

  test("waits as long as Retry-After says, unless that is too long", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "config.json": "{}" } });
    const hub = await testHub(server, await temporaryFolder());
    server.fail({ match: () => true, do: { status: 429, headers: { "Retry-After": "1" } } });
    const start = performance.now();
    await hub.fetch(`${server.url}/api/models/org/name`);
    expect(performance.now() - start).toBeGreaterThan(990);
    server.fail({ match: () => true, do: { status: 429, headers: { "Retry-After": "3600" } } });
    await expect(hub.fetch(`${server.url}/api/models/org/name`)).rejects.toThrow(
      /answered 429; try again in 3600 s, as it asks; a token in HF_TOKEN allows more requests$/,
    );
  });

  test("waits for the end of the Hub's window for requests, but not for that of a server with another trouble", async () => {
    await using server = await LoopbackHub.start();
    const hub = await testHub(server, await temporaryFolder());
    const headers = { RateLimit: '"api";r=0;t=3600', "RateLimit-Policy": '"fixed window";"api";q=500;w=300' };
    server.fail({ match: () => true, do: { status: 429, headers } });
    await expect(hub.fetch(`${server.url}/api/x`)).rejects.toThrow(/answered 429; try again in 3600 s, as it asks/);
    server.fail({ match: () => true, do: { status: 503, headers } });
    expect((await hub.fetch(`${server.url}/api/x`)).status).toBe(404);
  });

  test("says which address gives no answer", async () => {
    const server = await LoopbackHub.start();
    const { url } = server;
    await server[Symbol.asyncDispose]();
    const hub = await testHub({ url }, await temporaryFolder());
    await expect(hub.fetch(`${url}/api/models/org/name`)).rejects.toThrow(
      new UserError(
        `${url}/api/models/org/name: connection refused after 2 tries; ` +
          "check the network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use what is in the cache",
      ),
    );
  });

  test("waits once, and briefly, for a network that was never there, and as long as ever for one that was", async () => {
    const server = await LoopbackHub.start();
    const { url } = server;
    const hub = await testHub(server, await temporaryFolder());
    await hub.fetch(`${url}/api/x`);
    await server[Symbol.asyncDispose]();
    await expect(hub.fetch(`${url}/api/x`)).rejects.toThrow("connection refused after 6 tries");
    const never = await testHub({ url }, await temporaryFolder());
    await expect(never.fetch(`${url}/api/x`)).rejects.toThrow("connection refused after 2 tries");
    await expect(never.stream(`${url}/api/x`)).rejects.toThrow(/: connection refused; check the network/);
  });

  test("does not repeat a request to a port that fetch forbids", async () => {
    const hub = await testHub({ url: "http://127.0.0.1:9" }, await temporaryFolder(), { pace: { backoffMs: 60_000 } });
    await expect(hub.fetch("http://127.0.0.1:9/api/x")).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:9\/api\/x: bad port; check the network and HF_ENDPOINT/,
    );
  });

  test("repeats what changes something only when it was refused for its number", async () => {
    await using server = await LoopbackHub.start();
    const hub = await testHub(server, await temporaryFolder());
    server.fail({ match: () => true, do: { status: 500 } });
    await expect(hub.fetch(`${server.url}/api/x`, { method: "POST", body: "{}" })).rejects.toThrow(/answered 500; try/);
    server.fail({ match: () => true, do: { status: 429 } });
    expect((await hub.fetch(`${server.url}/api/x`, { method: "POST", body: "{}" })).status).toBe(404);
    expect(server.requests).toHaveLength(3);
  });

  test("stops at once when it is told to, also while it waits", async () => {
    await using server = await LoopbackHub.start();
    server.fail({ ...always, do: { status: 500 } });
    const hub = await testHub(server, await temporaryFolder(), { pace: { backoffMs: 60_000 } });
    const controller = new AbortController();
    const answer = hub.fetch(`${server.url}/api/x`, { signal: controller.signal });
    const aborted = expect(answer).rejects.toThrow(/abort/);
    await expect.poll(() => server.requests.length).toBe(1);
    controller.abort();
    await aborted;
    expect(server.requests).toHaveLength(1);
  });

  test("sends the token to the endpoint, and to no other host", async () => {
    await using server = await LoopbackHub.start();
    await using stranger = await LoopbackHub.start();
    server.addToken("hf_me", { name: "me" });
    server.addModel("me/name", { private: true, files: { "model.safetensors": "weights" } });
    const hub = await testHub(server, await temporaryFolder(), { environment: { HF_TOKEN: "hf_me" } });
    const response = await hub.fetch(`${server.url}/me/name/resolve/main/model.safetensors`);
    expect(await response.text()).toBe("weights");
    expect(server.requests.map(({ path, authorization }) => [path.split("/")[1], authorization])).toEqual([
      ["me", "Bearer hf_me"],
      ["lfs", undefined],
    ]);
    await hub.fetch(`${stranger.url}/x`, { headers: { authorization: "Bearer hf_me" } });
    expect(stranger.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("asks nothing when offline", async () => {
    await using server = await LoopbackHub.start();
    const hub = await testHub(server, await temporaryFolder(), { environment: { HF_HUB_OFFLINE: "1" } });
    await expect(hub.fetch(`${server.url}/api/x`)).rejects.toThrow(UserError);
    expect(server.requests).toEqual([]);
  });
});
