import { describe, expect, it } from "vitest";
import { isRunLater } from "../../../src/core/reconcile/runs-later.js";

describe("files that something runs later", () => {
  it("are known by name, whatever the letter case and folder", () => {
    const paths = ["package.json", "a/Package.JSON", ".github/workflows/ci.yml", "sub/.git/hooks/pre-commit", "sub/.git", ".HUSKY/pre-push", "Makefile", "x/conftest.py", ".envrc", ".vscode/tasks.json", "vite.config.ts", ".eslintrc.cjs", "evil.pth", "Dockerfile.dev", ".mcp.json", "AGENTS.md", ".claude/settings.json", ".env.local", "go/BUILD"];
    for (const path of paths) expect([path, isRunLater(path, null)]).toEqual([path, true]);
  });

  it("are also files with a right to run", () => {
    const file = { kind: "file" as const, bytes: 1, digest: null, target: null };
    expect([isRunLater("bin/x", { ...file, mode: 0o755 }), isRunLater("bin/x", { ...file, mode: 0o644 }), isRunLater("dir", { ...file, kind: "directory", mode: 0o755 })]).toEqual([true, false, false]);
  });

  it("are not ordinary sources", () => {
    for (const path of ["src/index.ts", "README.md", "github/workflows.md", "test/a.test.js", "src/config.js", "docs/package.json.md"]) expect([path, isRunLater(path, null)]).toEqual([path, false]);
  });
});
