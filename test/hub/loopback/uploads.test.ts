import { createHash } from "node:crypto";
import { commit, createRepo, downloadFile, modelInfo, uploadFilesWithProgress } from "@huggingface/hub";
import { describe, expect, test } from "vitest";
import { LoopbackHub } from "../loopback-hub.ts";

const weights = Uint8Array.from({ length: 5000 }, (_, at) => at % 251);
const sha256 = createHash("sha256").update(weights).digest("hex");
const accessToken = "hf_me";

describe("uploads to the loopback hub", () => {
  test("create a repository and commit LFS and plain files to it", async () => {
    await using hub = await LoopbackHub.start();
    hub.addToken(accessToken, { name: "me" });
    const at = { repo: "me/new", accessToken, hubUrl: hub.url };
    await createRepo({ ...at, visibility: "private", license: "apache-2.0" });
    await expect(createRepo(at)).rejects.toMatchObject({ statusCode: 409 });
    const files = [
      { path: "model.safetensors", content: new Blob([weights]) },
      { path: "sub/a.txt", content: new Blob(["hello"]) },
    ];
    const events = uploadFilesWithProgress({ ...at, files, commitTitle: "Add all" });
    let next = await events.next();
    while (!next.done) next = await events.next();
    const { head, description } = hub.repository("model", "me/new")!;
    expect(head).toMatchObject({ id: next.value!.commit.oid, title: "Add all" });
    expect(description.private).toBe(true);
    expect([...head.files.keys()]).toEqual([".gitattributes", "README.md", "model.safetensors", "sub/a.txt"]);
    const blob = await downloadFile({ ...at, path: "model.safetensors" });
    expect(new Uint8Array(await blob!.arrayBuffer())).toEqual(weights);
    expect(hub.requests.filter(({ method }) => method === "PUT")).toEqual([{ method: "PUT", path: `/lfs/${sha256}` }]);
    expect(await modelInfo({ name: "me/new", ...at, additionalFields: ["tags"] })).toMatchObject({
      tags: ["license:apache-2.0"],
    });
  });

  test("commit only onto the parent that they name, and only from a writer", async () => {
    await using hub = await LoopbackHub.start();
    const model = hub.addModel("me/name", { files: { "a.txt": "hello", "b.txt": "b" } });
    hub.addToken(accessToken, { name: "me" });
    hub.addToken("hf_reader", { name: "me", role: "read" });
    const parentCommit = model.head.id;
    const deletion = { operation: "delete", path: "a.txt" } as const;
    const params = { repo: "me/name", hubUrl: hub.url, title: "Delete a", operations: [deletion], parentCommit };
    await expect(commit({ ...params, accessToken: "hf_reader" })).rejects.toMatchObject({ statusCode: 403 });
    await commit({ ...params, accessToken });
    expect([...model.head.files.keys()]).toEqual(["b.txt"]);
    await expect(commit({ ...params, accessToken })).rejects.toMatchObject({ statusCode: 412 });
  });

  test("store no object whose content does not hash to its address", async () => {
    await using hub = await LoopbackHub.start();
    hub.addToken(accessToken, { name: "me" });
    hub.addModel("me/name", { files: {} });
    const batch = { operation: "upload", objects: [{ oid: sha256, size: 5000 }] };
    const response = await fetch(`${hub.url}/me/name.git/info/lfs/objects/batch`, {
      method: "POST",
      body: JSON.stringify(batch),
      headers: { authorization: `Bearer ${accessToken}` },
    });
    const { objects } = (await response.json()) as { objects: { actions: { upload: { href: string } } }[] };
    const put = (body: Uint8Array) => fetch(objects[0]!.actions.upload.href, { method: "PUT", body: new Blob([body]) });
    expect((await put(weights.slice(1))).status).toBe(400);
    expect((await put(weights)).status).toBe(200);
  });
});
