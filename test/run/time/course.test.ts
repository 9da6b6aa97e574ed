import { array, assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { Course, UsualCourse } from "../../../src/run/time/course.ts";
import { VirtualClock } from "../../virtual-clock.ts";

/** Shares of progress of equal stages that take these times; what is said at each of them. */
function follow(course: Course, clock: VirtualClock, stages: readonly number[]): number[] {
  return stages.map((ms, i) => {
    clock.pass(ms);
    return course.reach((i + 1) / stages.length);
  });
}

/** What is known after a scoring of so many equal stages. */
function evenCourse(count: number): UsualCourse {
  const [clock, usual] = [new VirtualClock(), new UsualCourse()];
  const course = new Course(usual, clock.now);
  follow(
    course,
    clock,
    Array.from({ length: count }, () => 10),
  );
  course.end(1);
  return usual;
}

const stages = array(integer({ min: 1, max: 1000 }), { minLength: 4, maxLength: 40 });

describe("what a scoring under way will take", () => {
  test("is known from a quarter on where its stages take the time that they did before", () => {
    assert(
      property(stages, integer({ min: 1, max: 20 }), (times, slowness) => {
        const [clock, usual] = [new VirtualClock(), new UsualCourse()];
        const first = new Course(usual, clock.now);
        follow(first, clock, times);
        first.end(1);
        const wholeMs = slowness * times.reduce((sum, ms) => sum + ms, 0);
        const slower = times.map((ms) => slowness * ms);
        for (const said of follow(new Course(usual, clock.now), clock, slower)) {
          expect(said === 0 || Math.abs(said - wholeMs) < 1e-6 * wholeMs).toBe(true);
        }
      }),
    );
  });

  test("is not learned from one that became slower in its midst", () => {
    const [clock, usual] = [new VirtualClock(), new UsualCourse()];
    for (const [times, slowness] of [
      [[10, 10, 10, 10], 1],
      [[10, 10, 90, 90], 5],
    ] as const) {
      const course = new Course(usual, clock.now);
      follow(course, clock, times);
      course.end(slowness);
    }
    expect(usual.timeAt(0.5)).toBe(0.5);
  });

  test("does not count that the machine stood still for a moment as what it does all the time", () => {
    const [clock, usual] = [new VirtualClock(), evenCourse(8)];
    const said = follow(new Course(usual, clock.now), clock, [10, 10, 500, 10, 10, 10, 10, 10]);
    expect(said[5]).toBe(550 + 20);
  });

  test("is not known before one has ended: stages may not be alike", () => {
    const clock = new VirtualClock();
    const course = new Course(new UsualCourse(), clock.now);
    expect(follow(course, clock, [100, 100, 10, 10])).toEqual([0, 0, 0, 0]);
    expect(course.done({ models: 3, tokens: 100 })).toEqual({ models: 3, tokens: 100, passes: 1, ms: 220 });
  });

  test("is of the part that is done where it is given up, and of all of it before a quarter", () => {
    const [clock, usual] = [new VirtualClock(), evenCourse(4)];
    const work = { models: 3, tokens: 100 };
    const course = new Course(usual, clock.now);
    for (const [share, expected] of [
      [0.25, { models: 3, tokens: 100, passes: 1, ms: 30 }],
      [0.5, { models: 3, tokens: 25, passes: 0.25, ms: 30 }],
      [0.75, { models: 3, tokens: 50, passes: 0.5, ms: 60 }],
    ] as const) {
      clock.pass(30);
      course.reach(share);
      expect(course.done(work)).toEqual(expected);
    }
  });
});
