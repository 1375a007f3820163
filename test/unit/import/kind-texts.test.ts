// How many records of a file were of each kind, in words.

import { expect, it } from "vitest";
import { kindTexts } from "../../../src/core/import/index.js";

it("the kinds that there are, each with its noun in the right number", () => {
  expect(kindTexts({ calls: 1, results: 2, messages: 0, metadata: 1 })).toEqual(["1 call", "2 results", "1 metadata"]);
});
