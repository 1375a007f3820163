// The sandbox images of this installation, by the short names of their folders.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { packageFile } from "./adapters/system/package-root.js";

export interface OwnImage {
  readonly name: string;
  readonly summary: string;
  /** What it is called on the engine. */
  readonly reference: string;
  /** Built when it is first asked for. */
  readonly onDemand: boolean;
  readonly parent: string;
  readonly tools: readonly string[];
}

const NAME = /^[a-z0-9][a-z0-9-]{0,40}$/u;

/** Every image of `sandbox-images/`, by name. */
export function ownImages(): readonly OwnImage[] {
  const folder = packageFile("sandbox-images");
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && existsSync(specFile(entry.name)));
  return names.map(({ name }) => readOwn(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Full reference of one of ours by its short name; anything else is taken as it is. */
export function imageReference(image: string): string {
  return isOwnName(image) ? referenceOf(image) : image;
}

/** Short name of one of ours by that name or by its full reference; null for an image that is not ours. */
export function ownNameOf(image: string): string | null {
  const name = /^ringfence\/([^:/@]+)(?::latest)?$/u.exec(image)?.[1] ?? image;
  return isOwnName(name) ? name : null;
}

/** Tells whether it is the short name of one of ours. */
export function isOwnName(image: string): boolean {
  return NAME.test(image) && existsSync(specFile(image));
}

function specFile(name: string): string {
  return packageFile("sandbox-images", name, "image.json");
}

function referenceOf(name: string): string {
  return `ringfence/${name}:latest`;
}

function readOwn(name: string): OwnImage {
  const spec = JSON.parse(readFileSync(specFile(name), "utf8")) as { summary?: string; onDemand?: boolean; parents?: readonly string[]; tools?: readonly string[] };
  return { name, summary: spec.summary ?? "", reference: referenceOf(name), onDemand: spec.onDemand === true, parent: spec.parents?.[0] ?? "", tools: spec.tools ?? [] };
}
