import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "./loopback/answer.ts";
import type { Disturbance, Fault, LoggedRequest } from "./loopback/fault.ts";
import { keyOf, type Registry, type Token } from "./loopback/registry.ts";
import { LoopbackRepository, type RepositoryDescription, type RepositoryType } from "./loopback/repository.ts";
import { answer } from "./loopback/routes.ts";
import { send } from "./loopback/send.ts";

/** Writes a whole response, headers and body, or closes its connection. */
export type RawAnswer = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * A server on 127.0.0.1 that speaks the HTTP of the Hugging Face Hub well enough for `@huggingface/hub` and Python's
 * huggingface_hub, with histories, gates, uploads and faults.
 *
 *     await using hub = await LoopbackHub.start();
 *     const model = hub.addModel("org/name", { files: { "config.json": "{}", "model.safetensors": bytes }, licence: "mit" });
 *     const second = model.commit({ files: { "config.json": null }, date: "2024-05-01T00:00:00Z" });   // its commit id
 *     model.tag("v1", second);
 *     hub.addDataset("org/rows", { folder }).commit({ branch: "refs/convert/parquet", files: { ... } });
 *     hub.addToken("hf_me", { name: "me", access: ["org/gated"] });       // may write to me/...
 *     hub.rename("model", "org/name", "org/new-name");                      // 307 from the old name
 *     hub.fail({ match: ({ path }) => path.startsWith("/lfs/"), times: 2, do: { dropAfterBytes: 1000 } });
 *     hub.replace(({ path }) => path.includes("/tree/"), (request, response) => response.end("no JSON"));
 *     hub.requests.filter(({ range }) => range !== undefined);
 *     hub.pageSize = 2;                                                     // entries on a page of a listing
 *
 * File names are taken as they are given (`../evil` too), and `{ content, bytes, sha256, blob }` in place of a file's
 * content makes the listings claim what is not so. Files named *.safetensors, *.parquet, *.bin and *.gguf and those over
 * 10 MiB are LFS files: `resolve` redirects to `/lfs/<sha256>` on another port, as it does to the Hub's storage, which needs
 * no token and should never be sent one.
 */
export class LoopbackHub {
  readonly #servers: readonly Server[];
  readonly #registry: Registry;
  readonly #requests: LoggedRequest[] = [];
  readonly #faults: { readonly fault: Fault; left: number }[] = [];
  readonly #replacements: { readonly match: Fault["match"]; readonly answer: RawAnswer }[] = [];

  private constructor(site: Server, storage: Server) {
    this.#servers = [site, storage];
    this.#registry = {
      url: addressOf(site),
      storageUrl: addressOf(storage),
      repositories: new Map(),
      renamed: new Map(),
      tokens: new Map(),
      objects: new Map(),
      pageSize: 1000,
    };
    for (const server of this.#servers) {
      server.on("request", (request, response) => {
        this.#serve(request, response).catch(() => response.destroy());
      });
    }
  }

  /** Listens on two free ports, one of them for LFS storage. */
  static async start(): Promise<LoopbackHub> {
    return new LoopbackHub(await listening(), await listening());
  }

  get url(): string {
    return this.#registry.url;
  }

  /** All requests so far, in the order they arrived. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests;
  }

  /** Entries on a page of a listing, 1000 unless set. */
  set pageSize(entries: number) {
    this.#registry.pageSize = entries;
  }

  addModel(name: string, description: RepositoryDescription): LoopbackRepository {
    return this.#add("model", name, description);
  }

  addDataset(name: string, description: RepositoryDescription): LoopbackRepository {
    return this.#add("dataset", name, description);
  }

  /** The repository of that name, such as one that an upload created. */
  repository(type: RepositoryType, name: string): LoopbackRepository | undefined {
    return this.#registry.repositories.get(keyOf(type, name));
  }

  addToken(token: string, owner: Token): void {
    this.#registry.tokens.set(token, owner);
  }

  /** Moves a repository; its old name redirects. */
  rename(type: RepositoryType, from: string, to: string): void {
    const { repositories, renamed } = this.#registry;
    const repository = repositories.get(keyOf(type, from))!;
    repositories.delete(keyOf(type, from));
    repository.name = to;
    repositories.set(keyOf(type, to), repository);
    renamed.set(keyOf(type, from), to);
  }

  /** Disturbs the next requests that match; of several faults that match, the one that was added first and is not used up. */
  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Has all requests that match answered by hand, be it with what no server would say. */
  replace(match: Fault["match"], answer: RawAnswer): void {
    this.#replacements.push({ match, answer });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = once(server, "close");
        server.close();
        server.closeAllConnections();
        await closed;
      }),
    );
  }

  #add(type: RepositoryType, name: string, description: RepositoryDescription): LoopbackRepository {
    const repository = new LoopbackRepository(type, name, description);
    this.#registry.repositories.set(keyOf(type, name), repository);
    return repository;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: path = "/", headers } = request;
    const { range, authorization } = headers;
    const seen = { method, path, ...(range && { range }), ...(authorization && { authorization }) };
    this.#requests.push(seen);
    const replacement = this.#replacements.find(({ match }) => match(seen));
    if (replacement) return void (await replacement.answer(request, response));
    const what = this.#disturbance(seen);
    if (what.hangUp) return void response.destroy();
    const body = Buffer.concat(await request.toArray());
    const asked = what.ignoreRange ? { ...headers, range: undefined } : headers;
    const url = new URL(`${this.url}${path}`);
    const given =
      what.status === undefined
        ? await answer(this.#registry, { method, url, headers: asked, body })
        : json({ error: `Fault ${what.status}` }, { status: what.status });
    await send(response, given, what);
  }

  #disturbance(request: LoggedRequest): Disturbance {
    const next = this.#faults.find(({ fault, left }) => left > 0 && fault.match(request));
    if (!next) return {};
    next.left--;
    return next.fault.do;
  }
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
