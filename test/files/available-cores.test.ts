import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { availableCores, coresInGroups } from "../../src/files/available-cores.ts";

const V1 = "/sys/fs/cgroup/cpu";

test.each<[string, Record<string, string>, number]>([
  ["no control groups", {}, Infinity],
  ["no limit", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" }, Infinity],
  [
    "a container that sees its own group as the root",
    { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000\n" },
    1.5,
  ],
  [
    "a container that is told its path of the outside",
    { "/proc/self/cgroup": "0::/system.slice/docker-1f.scope\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n" },
    2,
  ],
  [
    "the narrowest of nested groups",
    {
      "/proc/self/cgroup": "0::/jobs/a:b/step\n",
      "/sys/fs/cgroup/jobs/a:b/step/cpu.max": "800000 100000\n",
      "/sys/fs/cgroup/jobs/a:b/cpu.max": "300000 100000\n",
      "/sys/fs/cgroup/jobs/cpu.max": "max 100000\n",
    },
    3,
  ],
  [
    "version 1",
    {
      "/proc/self/cgroup": "5:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/\n0::/\n",
      [`${V1}/docker/1f/cpu.cfs_quota_us`]: "50000\n",
      [`${V1}/docker/1f/cpu.cfs_period_us`]: "100000\n",
    },
    0.5,
  ],
  [
    "version 1 without the short name, and no limit around it",
    {
      "/proc/self/cgroup": "4:cpu,cpuacct:/one\n",
      "/sys/fs/cgroup/cpu,cpuacct/one/cpu.cfs_quota_us": "400000\n",
      "/sys/fs/cgroup/cpu,cpuacct/one/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    },
    4,
  ],
  ["what is no number", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "many\n" }, Infinity],
])("cores of a process in control groups: %s", (_, files, cores) => {
  expect(coresInGroups((path) => files[path])).toBe(cores);
});

test("a process has one core at least, and no more than it may run on", () => {
  expect(availableCores()).toBeGreaterThanOrEqual(1);
  expect(availableCores()).toBeLessThanOrEqual(availableParallelism());
});
