// The command `ringfence` in npm's global folder: made, renewed, and never in the place of another program.

import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeLink, planLink } from "../../../scripts/setup/link.mjs";

let folder = "";
const at = (...parts: readonly string[]): string => join(folder, ...parts);

function checkout(name: string): { readonly checkout: string; readonly launcher: string } {
  mkdirSync(at(name, "bin"), { recursive: true });
  writeFileSync(at(name, "package.json"), JSON.stringify({ name: "ringfence" }));
  writeFileSync(at(name, "bin", "ringfence.mjs"), "#!/usr/bin/env node\n");
  chmodSync(at(name, "bin", "ringfence.mjs"), 0o755);
  return { checkout: at(name), launcher: at(name, "bin", "ringfence.mjs") };
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "ringfence-test-link-")));
  mkdirSync(at("prefix", "bin"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const env = (): { readonly PATH: string } => ({ PATH: at("prefix", "bin") });

describe("the link", () => {
  it("is made where there is none, and then there is nothing left to do", async () => {
    const own = checkout("one");
    expect(await planLink({ ...own, env: env(), prefix: at("prefix") })).toEqual({ kind: "link", prefix: at("prefix"), replaces: null });
    makeLink({ prefix: at("prefix"), checkout: own.checkout });
    expect(realpathSync(at("prefix", "bin", "ringfence"))).toBe(own.launcher);
    expect(realpathSync(at("prefix", "lib", "node_modules", "ringfence"))).toBe(own.checkout);
    expect(await planLink({ ...own, env: env(), prefix: at("prefix") })).toEqual({ kind: "done" });
  });

  it("moves from one checkout to another and says from which", async () => {
    const [old, next] = [checkout("one"), checkout("two")];
    makeLink({ prefix: at("prefix"), checkout: old.checkout });
    expect(await planLink({ ...next, env: env(), prefix: at("prefix") })).toEqual({ kind: "link", prefix: at("prefix"), replaces: old.launcher });
    makeLink({ prefix: at("prefix"), checkout: next.checkout });
    expect(realpathSync(at("prefix", "bin", "ringfence"))).toBe(next.launcher);
  });

  it("takes the place of one that leads to a checkout that is gone", async () => {
    const old = checkout("one");
    makeLink({ prefix: at("prefix"), checkout: old.checkout });
    rmSync(old.checkout, { recursive: true });
    const next = checkout("two");
    expect((await planLink({ ...next, env: env(), prefix: at("prefix") })).kind).toBe("link");
    makeLink({ prefix: at("prefix"), checkout: next.checkout });
    expect(realpathSync(at("prefix", "bin", "ringfence"))).toBe(next.launcher);
  });

  it("never takes the place of a program that is not a Ringfence", async () => {
    const own = checkout("one");
    writeFileSync(at("prefix", "bin", "ringfence"), "#!/bin/sh\n", { mode: 0o755 });
    expect((await planLink({ ...own, env: env(), prefix: at("prefix") })).kind).toBe("blocked");
    expect(readFileSync(at("prefix", "bin", "ringfence"), "utf8")).toBe("#!/bin/sh\n");
  });

  it("never takes the place of a link to another package's program of that name", async () => {
    const own = checkout("one");
    const other = checkout("other");
    writeFileSync(at("other", "package.json"), JSON.stringify({ name: "something-else" }));
    symlinkSync(other.launcher, at("prefix", "bin", "ringfence"));
    expect((await planLink({ ...own, env: env(), prefix: at("prefix") })).kind).toBe("blocked");
  });

  it("leaves a package that is really installed globally in its place", () => {
    const own = checkout("one");
    mkdirSync(at("prefix", "lib", "node_modules", "ringfence"), { recursive: true });
    makeLink({ prefix: at("prefix"), checkout: own.checkout });
    expect(lstatSync(at("prefix", "lib", "node_modules", "ringfence")).isDirectory()).toBe(true);
    expect(existsSync(at("prefix", "bin", "ringfence"))).toBe(true);
  });
});
