import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // On a machine that others use too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
export default config;
