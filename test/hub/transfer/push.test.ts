import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { formatManifest, MANIFEST } from "../../../src/model-folder/manifest.ts";
import type { Hub } from "../../../src/hub/api/hub.ts";
import { pushFolder, type PushOptions } from "../../../src/hub/transfer/push.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import type { LoggedRequest } from "../loopback/fault.ts";
import { historyOf } from "../loopback/repository.ts";
import { testHub } from "../test-hub.ts";

const weights = new Uint8Array(300_000).map((_, i) => (i * i) % 251);
const files = { "README.md": "---\nlicense: mit\n---\n# A model\n", "config.json": "{}", "model.safetensors": weights };
const token = "hf_secret";

interface Scene extends AsyncDisposable {
  readonly server: LoopbackHub;
  readonly hub: Hub;
  /** An exported model. */
  readonly folder: string;
  readonly push: (name: string, options?: Partial<PushOptions>) => ReturnType<typeof pushFolder>;
}

/** A server, a hub of a user named me, and an exported folder. */
async function setScene(environment: NodeJS.ProcessEnv = { HF_TOKEN: token }): Promise<Scene> {
  const server = await LoopbackHub.start();
  server.addToken(token, { name: "me", organisations: ["us"] });
  server.addToken("hf_reader", { name: "me", role: "read" });
  const root = await temporaryFolder();
  const hub = await testHub(server, root, { environment });
  const folder = join(root, "best");
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const digests = Object.entries(files).map(([name, content]) => [name, sha256(content)] as const);
  await writeFile(join(folder, MANIFEST), formatManifest(new Map(digests)));
  return {
    server,
    hub,
    folder,
    push: (name, options) => pushFolder(hub, name, folder, { message: "Add the merge", ...options }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The hub, with something that happens once it is asked what to do with the files. */
function meanwhile(hub: Hub, happen: () => unknown): Hub {
  const fetch: Hub["fetch"] = async (input, init) => {
    if (input instanceof Request ? false : String(input).includes("/preupload/")) await happen();
    return hub.fetch(input, init);
  };
  return { ...hub, fetch };
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const reason: unknown = await work.catch((error: unknown) => error);
  expect(reason).toBeInstanceOf(UserError);
  expect((reason as UserError).message).not.toContain(token);
  return (reason as UserError).message;
}

const isUpload = ({ method }: LoggedRequest): boolean => method === "PUT";

describe("pushFolder", () => {
  test("creates a repository and brings all files there in one commit", async () => {
    await using scene = await setScene();
    const { server, push } = scene;
    const progress: { doneBytes: number; totalBytes: number }[] = [];
    const pushed = await push("us/merge", { private: true, onProgress: (done) => void progress.push(done) });
    const { head, first, description } = server.repository("model", "us/merge")!;
    expect(pushed).toEqual({ url: `${server.url}/us/merge`, commit: head.id });
    expect(description.private).toBe(true);
    expect(head).toMatchObject({ title: "Add the merge", parent: { id: first.id } });
    expect([...head.files.keys()]).toEqual([
      ".gitattributes",
      "README.md",
      "SHA256SUMS",
      "config.json",
      "model.safetensors",
    ]);
    const { lfs } = await head.files.get("model.safetensors")!.digests();
    expect(lfs?.sha256).toBe(createHash("sha256").update(weights).digest("hex"));
    const { totalBytes } = progress.at(-1)!;
    expect(totalBytes).toBeGreaterThan(weights.length);
    expect(progress.map(({ doneBytes }) => doneBytes)).toEqual([0, weights.length, totalBytes]);
  });

  test("leaves the visibility of a new repository to the namespace unless it is told", async () => {
    await using scene = await setScene();
    await scene.push("me/merge");
    expect(scene.server.repository("model", "me/merge")!.description.private).toBe(false);
  });

  test("replaces the weights of an earlier model and leaves other files", async () => {
    await using scene = await setScene();
    const shard = "model-00001-of-00002.safetensors";
    const model = scene.server.addModel("me/merge", {
      files: { [shard]: "old", "model.safetensors.index.json": "{}", "notes.md": "mine", "config.json": "old" },
    });
    await scene.push("me/merge");
    expect([...model.head.files.keys()].toSorted()).toEqual(
      [...Object.keys(files), "SHA256SUMS", "notes.md"].toSorted(),
    );
    expect(historyOf(model.head)).toHaveLength(2);
  });

  test("takes away what was said of the weights that it replaces", async () => {
    await using scene = await setScene();
    const described = { "mergekit_config.yml": "slices: []\n", "recipe.json": "{}", "columns.st": "old" };
    const model = scene.server.addModel("me/merge", {
      files: { "model.safetensors": "old", ...described, "docs/recipe.json": "mine" },
    });
    await scene.push("me/merge");
    expect([...model.head.files.keys()].toSorted()).toEqual(
      [...Object.keys(files), "SHA256SUMS", "docs/recipe.json"].toSorted(),
    );
  });

  test("uploads nothing that the Hub has already", async () => {
    await using scene = await setScene();
    await scene.push("me/merge");
    await scene.push("me/merge");
    expect(scene.server.requests.filter(isUpload)).toHaveLength(1);
  });

  test("tries again when an upload breaks off", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isUpload, do: { hangUp: true } });
    scene.server.fail({ match: isUpload, do: { status: 503 } });
    await scene.push("me/merge");
    expect(scene.server.requests.filter(isUpload)).toHaveLength(3);
  });

  test("sends the token to the Hub and not to its storage", async () => {
    await using scene = await setScene();
    await scene.push("me/merge");
    for (const request of scene.server.requests) {
      expect(request.authorization).toBe(isUpload(request) ? undefined : `Bearer ${token}`);
    }
  });

  test("refuses to push to what is public in private", async () => {
    await using scene = await setScene();
    const { head } = scene.server.addModel("me/merge", { files: {} });
    expect(await refusal(scene.push("me/merge", { private: true }))).toBe(
      `me/merge is there already and public; make it private at ${scene.server.url}/me/merge/settings, or push to another name`,
    );
    expect(scene.server.repository("model", "me/merge")!.head).toBe(head);
  });

  test.each([
    [{}, "me/merge", "no token is set; set HF_TOKEN to one with write access"],
    [
      { HF_TOKEN: "hf_wrong" },
      "me/merge",
      "the Hub refuses the token in HF_TOKEN; set HF_TOKEN to one with write access to me",
    ],
    [
      { HF_TOKEN: "hf_reader" },
      "me/merge",
      "the token in HF_TOKEN may not write to me/merge; set HF_TOKEN to one with",
    ],
    [
      { HF_TOKEN: token },
      "them/merge",
      "the token in HF_TOKEN may not write to them/merge; set HF_TOKEN to one with write access to them",
    ],
    [
      { HF_TOKEN: token },
      "them/model",
      "the token in HF_TOKEN may not write to them/model; set HF_TOKEN to one with write access to them",
    ],
  ])("with %j and %s says which token is needed and where it comes from", async (environment, name, message) => {
    await using scene = await setScene(environment);
    scene.server.addModel("them/model", { files: {} });
    const said = await refusal(scene.push(name));
    expect(said).toContain(message);
    expect(said).toMatch(new RegExp(` from ${scene.server.url}/settings/tokens$`));
  });

  test.each(["merge", "me/merge@main", "/me/merge", "me/merge/x"])("refuses the name %s", async (name) => {
    await using scene = await setScene();
    expect(await refusal(scene.push(name))).toBe(
      `${name}: expected the name of a model on the Hub, such as your-name/model`,
    );
    expect(scene.server.requests).toEqual([]);
  });

  test("refuses a repository that has another name now", async () => {
    await using scene = await setScene();
    scene.server.addModel("me/old", { files: {} });
    scene.server.rename("model", "me/old", "me/new");
    expect(await refusal(scene.push("me/old"))).toBe("me/old is called me/new now; push to that name");
  });

  test.each<[string, (folder: string) => Promise<void>, string]>([
    [
      "no manifest",
      (folder) => rm(join(folder, "SHA256SUMS")),
      ": expected a folder that evomerge export wrote, found no SHA256SUMS in it",
    ],
    [
      "a changed file",
      (folder) => writeFile(join(folder, "config.json"), "{ }"),
      ": 'config.json' was changed since the export; export again",
    ],
    [
      "a file too many",
      (folder) => writeFile(join(folder, "notes.txt"), "mine"),
      ": 'notes.txt' was added since the export; export again",
    ],
    [
      "a file too few",
      (folder) => rm(join(folder, "config.json")),
      ": 'config.json' is missing since the export; export again",
    ],
  ])("refuses a folder with %s", async (_, change, message) => {
    await using scene = await setScene();
    await change(scene.folder);
    expect(await refusal(scene.push("me/merge"))).toBe(`${scene.folder}${message}`);
    expect(scene.server.requests).toEqual([]);
  });

  test("says when a file on the Hub is not the one of the folder", async () => {
    await using scene = await setScene();
    const { server, folder } = scene;
    const hub = meanwhile(scene.hub, () => writeFile(join(folder, "config.json"), "[]"));
    const said = await refusal(pushFolder(hub, "me/merge", folder, { message: "Add" }));
    const { head } = server.repository("model", "me/merge")!;
    expect(said).toBe(
      `${server.url}/me/merge/tree/${head.id}: config.json is not the file that was uploaded; push again`,
    );
  });

  test("says when the repository changes during the upload", async () => {
    await using scene = await setScene();
    const model = scene.server.addModel("me/merge", { files: {} });
    const hub = meanwhile(scene.hub, () => model.commit({ files: { "a.txt": "a" } }));
    expect(await refusal(pushFolder(hub, "me/merge", scene.folder, { message: "Add" }))).toBe(
      "me/merge was changed during the upload; push again",
    );
  });

  test("stops for the reason of its signal, before it commits", async () => {
    await using scene = await setScene();
    const { head } = scene.server.addModel("me/merge", { files: {} });
    const interruption = new AbortController();
    const hub = meanwhile(scene.hub, () => interruption.abort(new Error("enough")));
    const { signal } = interruption;
    await expect(pushFolder(hub, "me/merge", scene.folder, { message: "Add", signal })).rejects.toThrow("enough");
    expect(scene.server.repository("model", "me/merge")!.head).toBe(head);
  });
});
