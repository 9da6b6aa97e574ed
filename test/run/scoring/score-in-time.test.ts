import { expect, test } from "vitest";
import { Pace } from "../../../src/evaluate/pace.ts";
import { UsualCourse } from "../../../src/run/time/course.ts";
import { scoreInTime } from "../../../src/run/scoring/score-in-time.ts";
import type { Session } from "../../../src/run/session/session.ts";
import { VirtualClock } from "../../virtual-clock.ts";

/** What is read of a session, with 40 s left on a clock that stands still and scorings that took 0.2 s. */
function sessionOn(wall: VirtualClock): Session {
  const pace = new Pace();
  for (let i = 0; i < 4; i += 1) pace.learn({ models: 1, tokens: 1000, passes: 1, ms: 200, waitMs: 0 });
  const usual = new UsualCourse();
  return {
    clock: { remainingMs: 40_000, wall },
    workspace: { evaluator: { tokensOf: () => 1000 } },
    paces: { evaluator: pace, signal: pace, gradient: pace },
    recorder: { upcoming: undefined, giveUp: () => {} },
    usual: { evaluator: usual, signal: usual, gradient: usual },
  } as unknown as Session;
}

test.each([
  { stageMs: 20, expected: "scored" },
  { stageMs: 170, expected: "scored" },
  { stageMs: 4000, expected: undefined },
])(
  "ten stages of $stageMs ms, twice 20 before, where 40 s are left and the finish takes 5: $expected",
  async ({ stageMs, expected }) => {
    const wall = new VirtualClock();
    const session = sessionOn(wall);
    const score = (ms: number): Promise<string | undefined> =>
      scoreInTime(session, { models: 1, rows: {}, by: "gradient", afterMs: 5000 }, async ({ onShare, signal }) => {
        for (let i = 1; i <= 10; i += 1) {
          wall.pass(ms);
          signal.throwIfAborted();
          onShare(i / 10);
          signal.throwIfAborted();
        }
        return "scored";
      });
    await score(20);
    await score(20);
    expect(await score(stageMs)).toBe(expected);
  },
);
