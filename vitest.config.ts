import { configDefaults, defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from "vitest/config";

/**
 * Folders whose tests leave nothing behind in their process, such as variables of the environment or a device that is to be
 * opened once: their files share processes, the modules that these have loaded, and the tokenizers' process, which saves each
 * half a second, and most of those that run a search two. Files that put others in the place of modules are named for it, and stay apart.
 */
const together = [
  ..."checkpoint,config,experiment,export,generate,journal,merge,mergekit,model,plan".split(","),
  ..."report,rouge,rules,run,search,space,statistics,tasks,tensor,vocabulary".split(","),
].map((folder) => `test/${folder}/**/!(*.mocked).test.ts`);

function project(name: string, files: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      ...files,
      // Only what hangs may come to these: a machine that others use too can be ten times slower.
      testTimeout: 600_000,
      hookTimeout: 600_000,
      expect: { poll: { timeout: 300_000 } },
      pool: "forks",
      // Programs that are started write sentences on one line each, however long, unless a test says otherwise.
      env: { COLUMNS: "10000" },
    },
  };
}

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: "test/compile-programs.ts",
    // Tests wait for processes and disks too: leaving one core free, as is the default, costs two cores a third of their time.
    maxWorkers: "100%",
    projects: [
      project("apart", { include: ["test/**/*.test.ts"], exclude: [...configDefaults.exclude, ...together] }),
      project("together", { include: together, isolate: false }),
    ],
  },
});
export default config;
