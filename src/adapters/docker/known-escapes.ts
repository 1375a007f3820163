// Published ways out of a container, by the versions that have them. Data, and the reading of it. Pure: claims nothing about
// mends that a distribution made without changing the number.

/** A part of the engine's side that has a version of its own. */
export type Part = "engine" | "runc" | "containerd" | "kernel";

/** From `since` (or the beginning) up to, but without, `before`. */
interface Range {
  readonly since?: string;
  readonly before: string;
}

interface KnownEscape {
  readonly id: string;
  readonly part: Part;
  readonly what: string;
  readonly ranges: readonly Range[];
  /** What of a sandbox stands in its way all the same; null when nothing does. */
  readonly heldBy: string | null;
}

const NO_COPY = "nothing is copied in or out through the engine";
const NO_NAMESPACES = "no user namespace can be made and no mount call reached";

/** Oldest first. Ranges as the projects published them; a kernel's are those of its stable series. */
export const KNOWN_ESCAPES: readonly KnownEscape[] = [
  { id: "CVE-2016-5195", part: "kernel", what: "Dirty COW: writes to read-only files", ranges: [{ since: "2.6.22", before: "4.4.26" }, { since: "4.5", before: "4.7.9" }, { since: "4.8", before: "4.8.3" }], heldBy: null },
  { id: "CVE-2018-15664", part: "engine", what: "`docker cp` follows a link swapped in a race", ranges: [{ before: "18.09.7" }], heldBy: NO_COPY },
  { id: "CVE-2019-5736", part: "runc", what: "overwrites the runc program through /proc/self/exe", ranges: [{ before: "1.0.0-rc7" }], heldBy: null },
  { id: "CVE-2019-14271", part: "engine", what: "`docker cp` loads a library of the container's as root", ranges: [{ since: "19.03.0", before: "19.03.1" }], heldBy: NO_COPY },
  { id: "CVE-2020-15257", part: "containerd", what: "the shim's abstract socket", ranges: [{ before: "1.3.9" }, { since: "1.4.0", before: "1.4.3" }], heldBy: "a network namespace of its own" },
  { id: "CVE-2021-30465", part: "runc", what: "mounts that follow a link swapped in a race", ranges: [{ before: "1.0.0-rc95" }], heldBy: "a session's volume serves one container" },
  { id: "CVE-2021-41089", part: "engine", what: "`docker cp` changes the rights of files of the host", ranges: [{ before: "20.10.9" }], heldBy: NO_COPY },
  { id: "CVE-2021-41091", part: "engine", what: "users of the host reach set-user programs in the engine's folders", ranges: [{ before: "20.10.9" }], heldBy: "what an agent makes lies in the state folder, which is shut to others" },
  { id: "CVE-2022-0185", part: "kernel", what: "overflow in fsconfig", ranges: [{ since: "5.1", before: "5.4.173" }, { since: "5.5", before: "5.10.93" }, { since: "5.11", before: "5.15.16" }, { since: "5.16", before: "5.16.2" }], heldBy: NO_NAMESPACES },
  { id: "CVE-2022-0492", part: "kernel", what: "release_agent of control groups", ranges: [{ before: "4.9.301" }, { since: "4.10", before: "4.14.266" }, { since: "4.15", before: "4.19.229" }, { since: "4.20", before: "5.4.177" }, { since: "5.5", before: "5.10.97" }, { since: "5.11", before: "5.15.20" }, { since: "5.16", before: "5.16.6" }], heldBy: NO_NAMESPACES },
  { id: "CVE-2022-0847", part: "kernel", what: "Dirty Pipe: writes to read-only files", ranges: [{ since: "5.8", before: "5.10.102" }, { since: "5.11", before: "5.15.25" }, { since: "5.16", before: "5.16.11" }], heldBy: null },
  { id: "CVE-2022-23648", part: "containerd", what: "an image's volumes show files of the host", ranges: [{ before: "1.4.13" }, { since: "1.5.0", before: "1.5.10" }, { since: "1.6.0", before: "1.6.1" }], heldBy: "volumes of an image are replaced" },
  { id: "CVE-2023-0386", part: "kernel", what: "set-uid files copied up by overlayfs", ranges: [{ since: "5.11", before: "5.15.91" }, { since: "5.16", before: "6.1.9" }], heldBy: NO_NAMESPACES },
  { id: "CVE-2024-1086", part: "kernel", what: "use after free in nf_tables", ranges: [{ since: "3.15", before: "4.19.307" }, { since: "4.20", before: "5.4.269" }, { since: "5.5", before: "5.10.210" }, { since: "5.11", before: "5.15.149" }, { since: "5.16", before: "6.1.76" }, { since: "6.2", before: "6.6.15" }, { since: "6.7", before: "6.7.3" }], heldBy: "no netlink socket and no user namespace can be made" },
  { id: "CVE-2024-21626", part: "runc", what: "a working directory that is one of the host's open folders", ranges: [{ since: "1.0.0-rc93", before: "1.1.12" }], heldBy: "the working directory and the program of an image are not used" },
  { id: "CVE-2024-45310", part: "runc", what: "empty files made on the host in a race", ranges: [{ before: "1.1.14" }, { since: "1.2.0-rc.1", before: "1.2.0-rc.3" }], heldBy: "a session's volume serves one container" },
  ...["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"].map(
    (id): KnownEscape => ({ id, part: "runc", what: "masked paths, /dev/console and labels that follow a link swapped in a race", ranges: [{ before: "1.2.8" }, { since: "1.3.0-rc.1", before: "1.3.3" }, { since: "1.4.0-rc.1", before: "1.4.0-rc.3" }], heldBy: "a session's volume serves one container" }),
  ),
];

/** The known escapes that a version has by its number. A version that cannot be read has none that can be told. */
export function escapesOf(part: Part, version: string): readonly KnownEscape[] {
  const parsed = parse(version);
  if (parsed === null) return [];
  const has = ({ since, before }: Range): boolean => (since === undefined || compare(parsed, parse(since)) >= 0) && compare(parsed, parse(before)) < 0;
  return KNOWN_ESCAPES.filter((escape) => escape.part === part && escape.ranges.some(has));
}

/** Does a version carry a mark of a distribution, which mends without changing the number? */
export function isDistributed(version: string): boolean {
  return /[+~-](?:ds|deb|dfsg|ubuntu|el\d|fc\d|amzn|azure|aws|gcp|generic)/i.test(version);
}

interface Version {
  readonly numbers: readonly number[];
  /** Number of a release candidate; none comes after all of them. */
  readonly candidate: number;
}

function parse(text: string): Version | null {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-~]?rc\.?(\d+))?/.exec(text);
  if (match === null) return null;
  const [, major = "0", minor = "0", patch = "0", candidate] = match;
  return { numbers: [Number(major), Number(minor), Number(patch)], candidate: candidate === undefined ? Number.POSITIVE_INFINITY : Number(candidate) };
}

function compare(left: Version, right: Version | null): number {
  if (right === null) return 0;
  for (const [index, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.candidate === right.candidate) return 0;
  return left.candidate < right.candidate ? -1 : 1;
}
