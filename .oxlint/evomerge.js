/** Functions of node:fs that read a whole file, or wait for one that never ends. */
const UNBOUNDED = new Set(["createReadStream", "open", "openSync", "readFile", "readFileSync"]);

/**
 * A rule of our own beside those of oxlint: files of strangers are read through src/files/read-file.ts, which has a limit and
 * takes nothing but regular files.
 */
const boundedReads = {
  create: (context) => ({
    ImportDeclaration: ({ source, specifiers }) => {
      if (!/^(node:)?fs(\/promises)?$/.test(source.value)) return;
      for (const specifier of specifiers) {
        const name = specifier.type === "ImportSpecifier" ? specifier.imported.name : "readFile";
        if (!UNBOUNDED.has(name)) continue;
        const message = `${name} reads without a limit: use readFileWithin, readTextWithin or openFile of src/files/read-file.ts`;
        context.report({ message, node: specifier });
      }
    },
  }),
};

// oxlint-disable-next-line import/no-default-export -- oxlint looks for the plugin there
export default { meta: { name: "evomerge" }, rules: { "bounded-reads": boundedReads } };
