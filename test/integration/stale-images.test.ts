// Which images of ours doctor removes: only old ones, only ours, only where base or runtime was replaced.

import { describe, expect, it } from "vitest";
import { staleImages, type ListedImage } from "../../src/adapters/docker/stale-images.js";

const NOW = Date.parse("2026-11-26T00:00:00Z");
const DAY_S = 86_400;
const base = (id: string, ...tags: readonly string[]): ListedImage => ({ Id: id, RepoTags: tags, Labels: null, Created: 0 });

function derived(tag: string, of: string, runtime: string, days: number): ListedImage {
  return { Id: `sha256:${tag}`, RepoTags: [`ringfence/sandbox:${tag}`], Labels: { "dev.ringfence.base": of, "dev.ringfence.runtime": runtime }, Created: NOW / 1000 - days * DAY_S };
}

describe("images with the runtime in them", () => {
  it("stay as long as their base has a name and their runtime is ours", () => {
    expect(staleImages([base("sha256:b", "ringfence/kimi-dev:latest"), derived("x", "sha256:b", "now", 300)], "now", NOW)).toEqual([]);
  });

  it.each<readonly [string, ListedImage, readonly string[]]>([
    ["whose base is gone", derived("x", "sha256:gone", "now", 2), ["ringfence/sandbox:x"]],
    ["whose base has lost its name", derived("x", "sha256:untagged", "now", 2), ["ringfence/sandbox:x"]],
    ["with another runtime", derived("x", "sha256:b", "older", 2), ["ringfence/sandbox:x"]],
    ["that are young", derived("x", "sha256:gone", "older", 0.9), []],
    ["that carry our labels under another name", { ...derived("x", "sha256:gone", "older", 2), RepoTags: ["mine:latest"] }, []],
    ["without our labels", { ...derived("x", "sha256:gone", "older", 2), Labels: null }, []],
  ])("are told apart: %s", (_, image, expected) => {
    const others = [base("sha256:b", "ringfence/kimi-dev:latest"), base("sha256:untagged", "<none>:<none>"), { ...base("sha256:none"), RepoTags: null }];
    expect(staleImages([...others, image], "now", NOW)).toEqual(expected);
  });
});
