// What may be asked of an engine as an image: a word of a request's address, so nothing that leads that address elsewhere.

import { describe, expect, it } from "vitest";
import { isImageReference } from "../../../src/core/image/index.js";

const DIGEST = `sha256:${"0f".repeat(32)}`;

describe("an image reference", () => {
  it.each(["kimi-dev", "ringfence/kimi-dev:latest", "my/image:2", "localhost:5000/a/b_c:v1.0-x", "Registry.Example/a", "[::1]:5000/a", `a@${DIGEST}`, `a:1@${DIGEST}`, DIGEST, "8d01fc2d003e", "a__b", "a---b"])("may be %s", (text) => {
    expect(isImageReference(text)).toBe(true);
  });

  it.each(["", " ", "a b", "/", "/etc", "//host/x", "../x", "a/../b", "a//b", "a/", "http://a", "x:y:z", "-x", "?x", "a?x", "#x", "a%2f", "UPPER", "a\n", "a:", "a@", "a@sha256:00", "a".repeat(600), "é", "a\\b"])("may not be %j", (text) => {
    expect(isImageReference(text)).toBe(false);
  });
});
