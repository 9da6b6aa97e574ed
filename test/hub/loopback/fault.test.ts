import { describe, expect, test } from "vitest";
import { LoopbackHub } from "../loopback-hub.ts";
import type { Disturbance } from "./fault.ts";

const weights = Uint8Array.from({ length: 5000 }, (_, at) => at % 251);

describe("fault", () => {
  test("hits as many requests as it was told to", async () => {
    await using at = await hubWith({ status: 429, headers: { "Retry-After": "0" } }, 2);
    const responses = [await at.ask(), await at.ask(), await at.ask()];
    expect(responses.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect(responses[0]!.headers.get("retry-after")).toBe("0");
  });

  test("cuts a body off", async () => {
    await using at = await hubWith({ dropAfterBytes: 1234 });
    expect(await received(await at.ask())).toEqual({ bytes: 1234, complete: false });
    expect(await received(await at.ask())).toEqual({ bytes: 5000, complete: true });
  });

  test("closes a connection without an answer", async () => {
    await using at = await hubWith({ hangUp: true });
    await expect(at.ask()).rejects.toThrow("fetch failed");
  });

  test("changes one byte", async () => {
    await using at = await hubWith({ corrupt: true });
    const bytes = new Uint8Array(await (await at.ask()).arrayBuffer());
    expect(bytes.findIndex((byte, index) => byte !== weights[index])).toBe(4999);
    expect(bytes).toHaveLength(5000);
  });

  test("sends all to whoever asks for a part", async () => {
    await using at = await hubWith({ ignoreRange: true });
    expect((await at.ask({ headers: { range: "bytes=10-19" } })).status).toBe(200);
  });

  test("slows a body down", async () => {
    await using at = await hubWith({ slowBytesPerSecond: 50_000 });
    const start = performance.now();
    await received(await at.ask());
    expect(performance.now() - start).toBeGreaterThan(80);
  });

  test.each([{ stallMs: 3_600_000 }, { stallMs: 3_600_000, stallAfterBytes: 100 }])(
    "%j does not outlive the server",
    async (what) => {
      const { hub, ask } = await hubWith(what);
      const soFar = { bytes: 0 };
      const transfer = ask().then((response) => received(response, soFar));
      const outcome = transfer.catch(() => ({ bytes: 0, complete: false }));
      await expect.poll(() => hub.requests.length).toBe(1);
      await expect.poll(() => soFar.bytes).toBe(what.stallAfterBytes ?? 0);
      await hub[Symbol.asyncDispose]();
      expect(await outcome).toEqual({ bytes: what.stallAfterBytes ?? 0, complete: false });
    },
  );
});

async function hubWith(disturbance: Disturbance, times?: number) {
  const hub = await LoopbackHub.start();
  hub.addModel("org/name", { files: { "x.txt": weights } });
  hub.fail({ match: ({ path }) => path.endsWith("/x.txt"), do: disturbance, ...(times && { times }) });
  const ask = (init?: RequestInit) => fetch(`${hub.url}/org/name/resolve/main/x.txt`, init);
  return { hub, ask, [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose]() };
}

/** Reads all that comes, of which `soFar` tells. */
async function received(response: Response, soFar = { bytes: 0 }): Promise<{ bytes: number; complete: boolean }> {
  try {
    for await (const chunk of response.body!) soFar.bytes += (chunk as Uint8Array).byteLength;
  } catch {
    return { ...soFar, complete: false };
  }
  return { ...soFar, complete: true };
}
