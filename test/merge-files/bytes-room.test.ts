import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { BytesRoom } from "../../src/merge-files/bytes-room.ts";

test("tasks hold no more at once than there is room for, or one of them alone, and go in their order", async () => {
  const room = new BytesRoom(10);
  const [begun, most] = [[] as number[], { count: 0, bytes: 0 }];
  const now = new Set<number>();
  const sizes = [4, 6, 5, 30, 1, 9, 2, 2, 2, 2, 2];
  const doing = sizes.map((bytes, i) =>
    room.during(bytes, async () => {
      begun.push(i);
      now.add(i);
      const taken = [...now].reduce((sum, own) => sum + sizes[own]!, 0);
      if (taken > 10) expect([...now]).toEqual([3]);
      else most.bytes = Math.max(most.bytes, taken);
      most.count = Math.max(most.count, now.size);
      await setTimeout(1);
      now.delete(i);
    }),
  );
  await Promise.all(doing);
  expect(begun).toEqual(sizes.map((_, i) => i));
  expect(most).toEqual({ count: 5, bytes: 10 });
});

test("who holds nothing waits for nobody, and a failure leaves room", async () => {
  const room = new BytesRoom(0);
  const failing = room.during(1, async () => {
    await setTimeout(1);
    throw new Error("gone");
  });
  expect(await room.during(0, () => Promise.resolve("done"))).toBe("done");
  await expect(failing).rejects.toThrow("gone");
  expect(await room.during(1, () => Promise.resolve("next"))).toBe("next");
});

test("what is taken without waiting lets others wait, until they are refused", async () => {
  const room = new BytesRoom(10);
  room.take(30);
  const entering = room.enter(0);
  room.leave(20);
  await entering;
  room.take(1);
  const waiting = room.enter(0);
  room.clear(new Error("over"));
  await expect(waiting).rejects.toThrow("over");
});
