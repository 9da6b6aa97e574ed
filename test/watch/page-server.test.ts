import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { type PageServer, type ServedPage, servePage } from "../../src/watch/page-server.ts";

const token = "0123456789abcdef0123456789abcdef";

async function serve(page: Partial<ServedPage> = {}): Promise<PageServer> {
  const server = await servePage(
    {
      page: async () => "the page",
      part: (id) => (id === "search" ? "its part" : undefined),
      listen: (response) => response.end("data: []\n\n"),
      ...page,
    },
    { token },
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(
  { address }: PageServer,
  { path = `/${token}/`, method = "GET", headers = {} }: Asked = {},
): Promise<{ readonly status: number | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }> {
  const asked = request({ host: "127.0.0.1", port: new URL(address).port, path, method, headers, agent: false }).end();
  const [response] = (await once(asked, "response")) as [Parameters<NonNullable<Parameters<typeof request>[2]>>[0]];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe("the server of a page", () => {
  test("shows page, parts and events to who knows the token", async () => {
    const server = await serve();
    expect(server.address).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/${token}/$`));
    expect(await ask(server)).toMatchObject({ status: 200, body: "the page" });
    expect(await ask(server, { path: `/${token}/parts/search` })).toMatchObject({ status: 200, body: "its part" });
    const events = await ask(server, { path: `/${token}/events` });
    expect(events).toMatchObject({ status: 200, body: "data: []\n\n" });
    expect(events.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const without = await ask(server, { path: `/${token}` });
    expect([without.status, without.headers.location]).toEqual([308, `/${token}/`]);
  });

  test.each([
    ["/"],
    ["/favicon.ico"],
    [`/${token.slice(1)}/`],
    [`/${token}0/`],
    [`/${token.replace("0", "1")}/events`],
    [`//${token}/`],
    [`/${token}/parts/none`],
    [`/${token}/parts/search/more`],
    [`/${token}/parts/`],
    [`/${token}/parts/..%2f`],
    [`/${token}/other`],
    [`/x/../${token}/none`],
    ["/%00"],
  ])("has nothing at %s", async (path) => {
    const { status, body } = await ask(await serve(), { path });
    expect(status).toBe(404);
    expect(body).not.toContain("the page\n");
  });

  test.each([["POST"], ["PUT"], ["DELETE"], ["PATCH"], ["OPTIONS"], ["TRACE"]])(
    "does nothing when it is told to %s",
    async (method) => {
      const { status, headers } = await ask(await serve(), { method });
      expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
    },
  );

  test("answers HEAD by headers", async () => {
    const server = await serve();
    expect(await ask(server, { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    expect(await ask(server, { method: "HEAD", path: `/${token}/events` })).toMatchObject({ status: 200, body: "" });
  });

  test.each([["evil.example"], ["evil.example:80"], ["127.0.0.1.evil.example"], ["[::1]"], ["localhost.evil.example"]])(
    "goes by no other name: %j",
    async (host) => {
      expect(await ask(await serve(), { headers: { host } })).toMatchObject({ status: 421 });
    },
  );

  test.each([["localhost:1"], ["127.0.0.1"]])("is found at the end of a tunnel, as %s", async (host) => {
    expect(await ask(await serve(), { headers: { host } })).toMatchObject({ status: 200 });
  });

  test("lets no other page ask, show, or learn anything, whatever the answer", async () => {
    const server = await serve();
    for (const path of [`/${token}/`, `/${token}/events`, "/none"]) {
      const { headers } = await ask(server, { path, headers: { origin: "https://evil.example" } });
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      const policy = headers["content-security-policy"]!;
      expect(policy).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/);
      expect(policy).not.toContain("unsafe");
    }
  });

  test("tells a page that cannot be made in a sentence, and goes on", async () => {
    let asked = 0;
    const page = async (): Promise<string> => {
      asked += 1;
      if (asked === 1) throw new Error("no room");
      return "the page";
    };
    const server = await serve({ page });
    expect(await ask(server)).toMatchObject({ status: 500, body: "the page could not be made: no room\n" });
    expect(await ask(server)).toMatchObject({ status: 200, body: "the page" });
  });

  test("takes no more connections than it has room for, and is there afterwards", async () => {
    const server = await serve();
    const { port } = new URL(server.address);
    const sockets = Array.from({ length: 130 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
    const refused = sockets.map(async (socket) =>
      Promise.race([
        once(socket, "close").then(() => 1),
        new Promise<0>((resolve) => void setTimeout(resolve, 1000, 0)),
      ]),
    );
    expect((await Promise.all(refused)).reduce<number>((sum, one) => sum + one, 0)).toBe(30);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await ask(server).catch(() => undefined))?.status).toBe(200);
  });

  test("cannot be where another is", async () => {
    const { port } = new URL((await serve()).address);
    const another = servePage(
      { page: async () => "", part: () => undefined, listen: () => {} },
      { token, port: Number(port) },
    );
    await expect(another).rejects.toThrow(`cannot show the page on port ${port}: `);
  });
});
