// The list a person reads before set-up changes anything, and the script's options. Pure.

import { describe, expect, it } from "vitest";
import { parseOptions, planLines } from "../../../scripts/setup/plan.mjs";

type Facts = Parameters<typeof planLines>[0];

const VIEW: NonNullable<Facts["view"]> = {
  host: "unix:///var/run/docker.sock",
  env: {},
  arch: "amd64",
  plan: { rootfs: { tag: "ringfence/rootfs:1", packages: [] }, images: [] },
  missing: [],
  untagged: false,
  runtime: true,
};
const DONE: Facts = {
  machine: { root: true, linux: true, distribution: "debian", hasApt: true, systemd: false, arch: "amd64" },
  modules: true,
  built: true,
  engine: { kind: "use", host: VIEW.host },
  view: VIEW,
  link: { kind: "done" },
};

describe("the list of changes", () => {
  it("is empty when everything is there", () => {
    expect(planLines(DONE)).toEqual([]);
  });

  it("names every step on a machine that has nothing", () => {
    const lines = planLines({ ...DONE, modules: false, built: false, engine: { kind: "install", packages: ["docker.io"], how: "dockerd" }, view: null, link: { kind: "link", prefix: "/usr", replaces: null } });
    expect(lines.map(({ step, asks }) => [step, asks])).toEqual([
      ["packages", false],
      ["engine", true],
      ["images", true],
      ["runtime", false],
      ["build", false],
      ["link", true],
    ]);
    expect(lines[1]?.text).toContain("apt-get install docker.io");
  });

  it("asks nobody for what stays inside the checkout", () => {
    const lines = planLines({ ...DONE, built: false, view: { ...VIEW, runtime: false } });
    expect(lines.map(({ step }) => step)).toEqual(["runtime", "build"]);
    expect(lines.some(({ asks }) => asks)).toBe(false);
  });

  it("names the images that are missing and no others", () => {
    const [line] = planLines({ ...DONE, view: { ...VIEW, missing: ["kimi-dev"] } });
    expect(line?.text).toContain("ringfence/kimi-dev");
    expect(line?.text).not.toContain("ringfence/base");
  });

  it("says which other checkout the command leads to now", () => {
    const [line] = planLines({ ...DONE, link: { kind: "link", prefix: "/usr", replaces: "/old/bin/ringfence.mjs" } });
    expect(line?.text).toContain("/old/bin/ringfence.mjs");
  });

  it("leaves a link that cannot be made to a note", () => {
    expect(planLines({ ...DONE, link: { kind: "blocked", reason: "no", command: "ln" } })).toEqual([]);
  });
});

describe("the options", () => {
  it("are all off without words", () => {
    expect(parseOptions([])).toEqual({ ok: true, options: { yes: false, check: false, help: false, refresh: false, link: true, only: null } });
  });

  it("are read in any order", () => {
    expect(parseOptions(["--no-link", "--only", "engine", "-y", "--check", "--refresh"])).toEqual({
      ok: true,
      options: { yes: true, check: true, help: false, refresh: true, link: false, only: "engine" },
    });
  });

  it.each([["--yess"], ["engine"], ["--only"], ["--only", "images"]])("refuse %s", (...words) => {
    expect(parseOptions(words).ok).toBe(false);
  });
});
