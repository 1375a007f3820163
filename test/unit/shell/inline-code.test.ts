// Literals in inline code count like the same effect in the shell; what is no literal stays code whose doing is not known.

import { describe, expect, it } from "vitest";
import type { ActionEffect } from "../../../src/core/action/effects.js";
import { evaluateShell } from "../../../src/core/shell/index.js";

function told(text: string): readonly string[] {
  const { effects } = evaluateShell(text, { cwd: "/w", root: "/w", home: "/h", environment: new Map() });
  return effects.flatMap((effect: ActionEffect) => (effect.kind === "file" ? [`${effect.operation} ${effect.path}${effect.recursive ? "/**" : ""}`] : effect.kind === "exec" && effect.program !== "python3" ? [`exec ${effect.argv.join(" ")}`] : []));
}

describe("inline code", () => {
  it.each<[string, readonly string[]]>([
    [`python3 -c "import shutil; shutil.rmtree('/srv')"`, ["delete /srv/**"]],
    [`python3 -c "import os; os.system('rm -r x')"`, ["exec rm -r x", "delete /w/x/**"]],
    [`python3 -c 'import subprocess; subprocess.run(["rm", "-rf", "/"])'`, ["exec rm -rf /", "delete //**"]],
    ["python3 <<'E'\nfrom pathlib import Path\nPath('a').unlink()\nE", ["delete /w/a"]],
    [`python3 -c "open('/etc/x', 'w').write('y'); open('b', 'rb')"`, ["write /etc/x", "read /w/b"]],
    [`python3 -c "print('rm -rf /')"`, []],
    [`python3 -c "import os; os.remove(name)"`, []],
    [`cd sub && python3 -c "import os; os.unlink('z')"`, ["exec cd sub", "delete /w/sub/z"]],
  ])("%s", (text, expected) => {
    expect(told(text)).toEqual(expected);
  });

  it.each<[string, string]>([
    [`node -e "require('fs').rmSync('/srv', { recursive: true })"`, "delete /srv/**"],
    [`node -e "require('child_process').execSync('touch q')"`, "create /w/q"],
    [`perl -e 'unlink glob("/etc/*");'`, "delete /etc/*"],
    [`perl -e 'system "rm q"'`, "delete /w/q"],
    [`ruby -e 'File.delete("q")'`, "delete /w/q"],
    [`php -r 'unlink("q");'`, "delete /w/q"],
  ])("in other languages: %s", (text, expected) => {
    expect(told(text).map((one) => one.replace("write /w/q", "create /w/q"))).toContain(expected);
  });

  it("still counts as code that runs", () => {
    const { effects } = evaluateShell(`python3 -c "import os; os.remove('a')"`, { cwd: "/w", root: "/w", home: "/h", environment: new Map() });
    expect(effects.some((effect) => effect.kind === "runs-code" && effect.source === "inline")).toBe(true);
  });

  it("is bounded", () => {
    const begun = performance.now();
    const many = `python3 -c "${"import os; os.system('ls'); ".repeat(400)}"`;
    expect(told(many).length).toBeLessThan(100);
    told(`python3 -c "${"subprocess.run([".repeat(1500)}"`);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
