// Content tags of the sandbox images: what changes them, what does not, and which old ones may go.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planImages, readImageSpecs, supersededTags } from "../../../scripts/setup/images-plan.mjs";
import { setupPaths } from "../../../scripts/setup/paths.mjs";
import { bootstrapArguments } from "../../../scripts/setup/rootfs.mjs";

const IMAGES = setupPaths().images;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringfence-test-images-"));
  cpSync(IMAGES, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tags = (arch = "amd64", source = ""): readonly string[] => {
  const plan = planImages({ folder, arch, source });
  return [plan.rootfs.tag, ...plan.images.map((image) => image.tag)];
};

describe("the sandbox images of this repository", () => {
  it("are base and what stands on it, each with a user that is not root", () => {
    const specs = readImageSpecs(IMAGES);
    expect(specs.map(({ name, parents }) => [name, ...parents])).toEqual([
      ["base", "rootfs"],
      ["kimi-dev", "base"],
      ["node", "base"],
      ["python", "base"],
    ]);
    expect(specs.filter(({ onDemand }) => onDemand).map(({ name }) => name)).toEqual(["node", "python"]);
    expect(specs.every(({ user }) => user.uid === 1000)).toBe(true);
  });

  it("have the same tags whenever nothing has changed", () => {
    expect(tags()).toEqual(planImagesOf(IMAGES));
    expect(tags().every((tag) => /^ringfence\/[a-z-]+:[0-9a-f]{16}$/.test(tag))).toBe(true);
  });

  it("change only the tag of the child when the child's folder changes", () => {
    const before = tags();
    writeFileSync(join(folder, "kimi-dev", "check.sh"), "true\n");
    const after = tags();
    expect(after.map((tag, index) => tag === before[index])).toEqual([true, true, false, true, true]);
  });

  it("change the tag of an image whose payload is another's when that lockfile changes", () => {
    const before = tags();
    writeFileSync(join(folder, "kimi-dev", "package-lock.json"), "{}\n");
    expect(tags().map((tag, index) => tag === before[index])).toEqual([true, true, false, false, true]);
  });

  it("change the children's tags when the parent changes", () => {
    const before = tags();
    writeFileSync(join(folder, "base", "prepare.sh"), "true\n");
    expect(tags().map((tag, index) => tag === before[index])).toEqual([true, false, false, false, false]);
  });

  it("differ by architecture and by the root's source", () => {
    expect(new Set([...tags(), ...tags("arm64"), ...tags("amd64", "mirror/debian:bookworm-slim")]).size).toBe(15);
  });

  it("refuse an image file that names a shell command as a tool", () => {
    writeFileSync(join(folder, "base", "image.json"), JSON.stringify({ name: "base", parents: ["rootfs"], tools: ["sh; rm -rf /"], user: { name: "agent", uid: 1000 } }));
    expect(() => readImageSpecs(folder)).toThrow(/`tools` must be a list of commands/);
  });

  it("refuse parents that form a circle", () => {
    writeFileSync(join(folder, "base", "image.json"), JSON.stringify({ name: "base", parents: ["kimi-dev"], tools: ["sh"], user: { name: "agent", uid: 1000 } }));
    expect(() => readImageSpecs(folder)).toThrow(/circle/);
  });
});

function planImagesOf(path: string): readonly string[] {
  const plan = planImages({ folder: path, arch: "amd64", source: "" });
  return [plan.rootfs.tag, ...plan.images.map((image) => image.tag)];
}

describe("superseded images", () => {
  const made = ["ringfence/base:old", "ringfence/base:new", "ringfence/base:other", "someone/base:1"];

  it("are those that set-up made and no checkout uses any more", () => {
    expect(supersededTags({ made, checkouts: { "/a": ["ringfence/base:new"], "/b": ["ringfence/base:other"] }, exists: () => true })).toEqual(["ringfence/base:old"]);
  });

  it("include those of a checkout that is gone", () => {
    expect(supersededTags({ made, checkouts: { "/a": ["ringfence/base:new"], "/b": ["ringfence/base:other"] }, exists: (path) => path === "/a" })).toEqual(["ringfence/base:old", "ringfence/base:other"]);
  });

  it("are none where set-up made none", () => {
    expect(supersededTags({ made: [], checkouts: {}, exists: () => true })).toEqual([]);
  });
});

describe("the bootstrap of a Debian root", () => {
  it("takes every suite from one mirror and leaves documentation out", () => {
    const words = bootstrapArguments(["git", "ripgrep"], "http://mirror.example/");
    expect(words).toContain("--include=git,ripgrep");
    expect(words.slice(-5)).toEqual(["bookworm", "-", "deb http://mirror.example/debian bookworm main", "deb http://mirror.example/debian bookworm-updates main", "deb http://mirror.example/debian-security bookworm-security main"]);
  });
});
