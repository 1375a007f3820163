import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPolicyCache } from "../../../src/adapters/files/policy-cache.js";
import { builtinPoliciesDir, loadPolicySources } from "../../../src/adapters/files/policy-source.js";
import { GuardError, LIMITS } from "../../../src/core/shared/index.js";
import { policyText } from "./support.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "policy-source-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function names(files: readonly string[]): Promise<readonly string[]> {
  return (await loadPolicySources({ files, builtinDir: builtinPoliciesDir(), profile: "kimi-dev" })).map((source) => source.name.replace(folder, ""));
}

async function failure(files: readonly string[]): Promise<unknown> {
  return loadPolicySources({ files, builtinDir: builtinPoliciesDir(), profile: "kimi-dev" }).then(
    () => null,
    (cause: unknown) => (cause instanceof GuardError ? cause.code : cause),
  );
}

describe("loading policy files", () => {
  it("takes the packs and the profile when no file is named", async () => {
    expect(await names([])).toEqual(expect.arrayContaining(["builtin:kimi-dev.policy.yaml", "builtin:l7-agent-ecosystem.policy.yaml", "builtin:cross-layer.policy.yaml"]));
  });

  it("keeps the packs and leaves the profile out when a file is named that does not extend it", async () => {
    await writeFile(join(folder, "own.yaml"), policyText());
    const found = await names([join(folder, "own.yaml")]);
    expect([found.includes("builtin:l1-foundation-models.policy.yaml"), found.includes("builtin:kimi-dev.policy.yaml"), found.at(-1)]).toEqual([true, false, "/own.yaml"]);
  });

  it("adds the profile that a file extends", async () => {
    await writeFile(join(folder, "own.yaml"), policyText().replace("rules:", "extends: [kimi-dev]\nrules:"));
    expect(await names([join(folder, "own.yaml")])).toContain("builtin:kimi-dev.policy.yaml");
  });

  it("names what is wrong with a file that cannot be used", async () => {
    await writeFile(join(folder, "huge.yaml"), "x".repeat(LIMITS.policyBytes + 1));
    await writeFile(join(folder, "latin.yaml"), new Uint8Array([0x61, 0xff, 0xfe]));
    expect([await failure([join(folder, "none.yaml")]), await failure([folder]), await failure([join(folder, "huge.yaml")]), await failure([join(folder, "latin.yaml")])]).toEqual(["POLICY_NOT_FOUND", "POLICY_NOT_FOUND", "POLICY_INVALID", "POLICY_INVALID"]);
  });
});

describe("the store of compiled policies", () => {
  it("gives back what was kept, and nothing for an origin it does not have", () => {
    const cache = openPolicyCache(folder);
    cache.write("head\nallow", "{}");
    expect([cache.read("head\nallow"), cache.read("other\nallow"), openPolicyCache(join(folder, "none")).read("head\nallow")]).toEqual(["{}", null, null]);
  });

  it("takes nothing for a policy that differs in one letter, and keeps the newer of two that look alike", () => {
    const cache = openPolicyCache(folder);
    cache.write("head\nallow", "old");
    expect(cache.read("head\nallov")).toBe(null);
    cache.write("head\nallov", "new");
    expect([cache.read("head\nallow"), cache.read("head\nallov")]).toEqual([null, "new"]);
  });

  it("reads what the installation brings along where the state folder has nothing, and never writes there", () => {
    const shipped = join(folder, "shipped", "cache", "policy");
    openPolicyCache(join(folder, "shipped")).write("head\nallow", "brought");
    const cache = openPolicyCache(join(folder, "state"), shipped);
    expect([cache.read("head\nallow"), cache.read("head\nallov"), openPolicyCache(null, shipped).read("head\nallow"), openPolicyCache(null).read("head\nallow")]).toEqual(["brought", null, "brought", null]);
    openPolicyCache(null, shipped).write("head\nallow", "changed");
    cache.write("head\nallow", "own");
    expect([cache.read("head\nallow"), openPolicyCache(null, shipped).read("head\nallow")]).toEqual(["own", "brought"]);
  });

  it("does not fail where nothing can be written", async () => {
    await writeFile(join(folder, "file"), "");
    expect(() => openPolicyCache(join(folder, "file")).write("a".repeat(64), "{}")).not.toThrow();
  });
});
