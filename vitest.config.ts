import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/compile-programs.ts",
    // Only what hangs may come to these: a machine that others use too can be ten times slower.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    pool: "forks",
    // Tests wait for processes and disks too: leaving one core free, as is the default, costs two cores a third of their time.
    maxWorkers: "100%",
  },
});
export default config;
