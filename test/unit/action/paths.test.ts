// Lexical paths: absolute, normal, and never outside by a trick of spelling.

import { describe, expect, test } from "vitest";
import { baseName, isInside, joinPath, normalisePath, parentOf, relativeTo } from "../../../src/core/action/paths.js";

describe("normalisePath", () => {
  test.each<[string, string | null]>([
    ["a", "/w/a"],
    ["/a/b", "/a/b"],
    ["/", "/"],
    [".", "/w"],
    ["..", "/"],
    ["../../..", "/"],
    ["a/../../b", "/b"],
    ["/a//b/./c/", "/a/b/c"],
    ["//etc//passwd", "/etc/passwd"],
    ["/proc/self/root", "/"],
    ["/proc/self/root/etc/x", "/etc/x"],
    ["/proc/12/root/etc/x", "/etc/x"],
    ["/proc/*/root/etc/x", "/etc/x"],
    ["/proc/self/task/7/root/x", "/x"],
    ["/proc/self/cwd/x", "/w/x"],
    ["/proc/thread-self/cwd/../x", "/x"],
    ["/proc/self/root/proc/self/root/x", "/x"],
    ["../proc/self/root/x", "/x"],
    ["/proc/self/status", "/proc/self/status"],
    ["/x/proc/self/root/y", "/x/proc/self/root/y"],
    ["a\0b", null],
    ["", null],
    ["a/".repeat(3_000), null],
  ])("%j", (path, expected) => {
    expect(normalisePath(path, "/w")).toBe(expected);
  });
});

test("a path is inside a root by whole components", () => {
  expect([isInside("/w", "/w"), isInside("/w/a", "/w"), isInside("/wa", "/w"), isInside("/", "/w"), isInside("/x", "/")]).toEqual([true, true, false, false, true]);
  expect([relativeTo("/w/a/b", "/w"), relativeTo("/w", "/w"), relativeTo("/x", "/w"), relativeTo("/a", "/")]).toEqual(["a/b", "", null, "a"]);
});

test("names, parents and joins", () => {
  expect(["/a/b/", "a", "/", "a//"].map(baseName)).toEqual(["b", "a", "", "a"]);
  expect(["/a/b", "/a", "a", "/a/b/"].map(parentOf)).toEqual(["/a", "/", ".", "/a"]);
  expect([joinPath("/", "a"), joinPath("/a", "b")]).toEqual(["/a", "/a/b"]);
});
