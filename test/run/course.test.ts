import { array, assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { Course, UsualCourse } from "../../src/run/course.ts";
import { VirtualClock } from "../virtual-clock.ts";

/** Shares of progress of equal stages that take these times; what is said at each of them. */
function follow(course: Course, clock: VirtualClock, stages: readonly number[]): number[] {
  return stages.map((ms, i) => {
    clock.pass(ms);
    return course.reach((i + 1) / stages.length);
  });
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
    const clock = new VirtualClock();
    const said = follow(new Course(new UsualCourse(), clock.now), clock, [10, 10, 500, 10, 10, 10, 10, 10]);
    expect(said[5]).toBe(550 + 20);
  });

  test("is of the part that is done where it is given up, and of all of it before a quarter", () => {
    const clock = new VirtualClock();
    const course = new Course(new UsualCourse(), clock.now);
    const work = { models: 3, tokens: 100 };
    follow(course, clock, [30]);
    const [early] = [course.done(work)];
    expect(early).toEqual({ models: 3, tokens: 100, passes: 1, ms: 30 });
    const other = new Course(new UsualCourse(), clock.now);
    for (const share of [0.25, 0.5, 0.75]) {
      clock.pass(30);
      other.reach(share);
    }
    expect(other.done(work)).toEqual({ models: 3, tokens: 50, passes: 0.5, ms: 60 });
  });
});
