// The layers, held by a tool. test/architecture/layers.test.ts derives the same rules from the source again.

/** A rule: what lies under `from` may not import what lies under `to`. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const only = (pkg, home) =>
  forbid(`only-${pkg.replace(/\W/g, "-")}`, `${pkg} is imported only in its adapter, types included`, { path: "^src", pathNot: home }, { path: `node_modules/(@types/)?${pkg}(/|$)` });

module.exports = {
  forbidden: [
    forbid("no-circular", "files depend one way", {}, { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }),
    forbid("core-is-pure", "core knows no Node", { path: "^src/core" }, { dependencyTypes: ["core"] }),
    forbid("core-stays-inside", "core imports only core", { path: "^src/core" }, { path: "^src/(?!core)" }),
    forbid("ports-see-core", "ports are interfaces over core types", { path: "^src/ports" }, { path: "^src/(?!core|ports)" }),
    forbid("engine-sees-ports-and-core", "the engine imports no adapter", { path: "^src/engine" }, { path: "^src/(?!engine|ports|core)" }),
    forbid("engine-has-no-packages", "the engine needs no package", { path: "^src/engine" }, { dependencyTypes: ["npm", "core"] }),
    forbid("adapters-see-ports-and-core", "adapters do not know who uses them", { path: "^src/adapters" }, { path: "^src/(?!adapters|ports|core)" }),
    forbid("adapters-keep-apart", "an adapter imports no other, but the shared system ones", { path: "^src/adapters/([^/]+)/" }, { path: "^src/adapters/", pathNot: "^src/adapters/($1|system)/" }),
    forbid("surfaces-see-no-adapters", "surfaces go through compose", { path: "^src/surfaces" }, { path: "^src/adapters/(?!system/package-root)" }),
    forbid("nobody-imports-surfaces", "surfaces are the top", { pathNot: "^src/surfaces" }, { path: "^src/surfaces" }),
    only("dockerode", "^src/adapters/docker"),
    only("execa", "^src/adapters/process"),
    only("chokidar", "^src/adapters/watch"),
    only("pino", "^src/adapters/log"),
    only("@clack/prompts", "^src/(adapters/approver|surfaces/cli)"),
    only("commander", "^src/surfaces/cli"),
    only("minimatch", "^src/core/policy/match-path-test"),
    only("unbash", "^src/core/shell"),
    only("yaml", "^src/core/policy"),
    only("zod", "^src/core/policy"),
    only("ae-cvss-calculator", "^src/core/risk"),
    only("node-sqlite3-wasm", "^src/adapters/store"),
    only("diff", "^src/core/(reconcile|action)"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default", "types"] },
  },
};
