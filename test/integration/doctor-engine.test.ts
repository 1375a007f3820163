// What the doctor says of engines: known escapes by version, and what cannot be held.

import { describe, expect, it } from "vitest";
import type { EngineInfo } from "../../src/adapters/docker/engine.js";
import { KNOWN_ESCAPES, escapesOf, type Part } from "../../src/adapters/docker/known-escapes.js";
import { diskRow, engineLimits } from "../../src/compose-doctor-engine.js";

const INFO: EngineInfo = {
  socketPath: "/var/run/docker.sock",
  from: "the default socket",
  name: "Docker Engine",
  version: "28.0.0",
  apiVersion: "1.48",
  os: "linux",
  arch: "amd64",
  kernel: "6.18.44",
  runtime: "runc",
  runtimes: ["runc"],
  parts: { runc: "1.3.4", containerd: "1.7.29" },
  cgroupVersion: 2,
  rootless: false,
  userNamespace: false,
  seccomp: true,
  storageDriver: "overlay2",
  processors: 2,
};

describe("known escapes", () => {
  const cases: readonly (readonly [Part, string, readonly string[]])[] = [
    ["runc", "1.0.0-rc6", ["CVE-2019-5736", "CVE-2021-30465", "CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.0.0-rc7", ["CVE-2021-30465", "CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.1.11", ["CVE-2024-21626", "CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.1.12", ["CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.1.5+ds1", ["CVE-2024-21626", "CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.2.8", []],
    ["runc", "1.3.2", ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.3.3", []],
    ["runc", "1.4.0-rc.2", ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]],
    ["runc", "1.4.0-rc.3", []],
    ["runc", "v1.4.0", []],
    ["runc", "no version", []],
    ["engine", "18.06.1-ce", ["CVE-2018-15664", "CVE-2021-41089", "CVE-2021-41091"]],
    ["engine", "19.03.0", ["CVE-2019-14271", "CVE-2021-41089", "CVE-2021-41091"]],
    ["engine", "20.10.24+dfsg1", []],
    ["containerd", "1.6.0", ["CVE-2022-23648"]],
    ["containerd", "1.6.20~ds1", []],
    ["containerd", "1.4.2", ["CVE-2020-15257", "CVE-2022-23648"]],
    ["kernel", "5.15.24-generic", ["CVE-2022-0847", "CVE-2023-0386", "CVE-2024-1086"]],
    ["kernel", "5.15.149", []],
    ["kernel", "6.1.75", ["CVE-2024-1086"]],
    ["kernel", "6.18.44-fc-v657", []],
    ["kernel", "4.8.2", ["CVE-2016-5195", "CVE-2022-0492", "CVE-2024-1086"]],
  ];
  for (const [part, version, ids] of cases) {
    it(`of ${part} ${version} are ${ids.length === 0 ? "none" : ids.join(", ")}`, () => {
      expect(escapesOf(part, version).map(({ id }) => id)).toEqual(ids);
    });
  }

  it("are each listed once for a part", () => {
    const keys = KNOWN_ESCAPES.map(({ id, part }) => `${id} ${part}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("the doctor's rows on an engine", () => {
  it("are fine for versions without known escapes, and say what is lost", () => {
    expect(engineLimits(INFO).map(({ id, state }) => `${id} ${state}`)).toEqual(["engine-version ok", "runc ok", "containerd ok", "kernel ok", "kernel-boundary note"]);
    expect([diskRow(null).state, diskRow("mounting needs root").state]).toEqual(["ok", "lost"]);
    expect(diskRow("mounting needs root").detail).toContain("(mounting needs root)");
  });

  it("tell an escape that nothing holds from one that a sandbox does, and a distribution's number from the project's", () => {
    const row = (change: Partial<EngineInfo>, id: string): string => {
      const found = engineLimits({ ...INFO, ...change }).find((part) => part.id === id);
      return `${found?.state}: ${found?.detail}`;
    };
    expect(row({ kernel: "5.15.20" }, "kernel")).toMatch(/^lost: 5\.15\.20 has CVE-2022-0847 \(Dirty Pipe/);
    expect(row({ parts: { runc: "1.1.12", containerd: "" } }, "runc")).toMatch(/^note: 1\.1\.12 has CVE-2024-45310 .*here a session's volume serves one container/);
    expect(row({ parts: { runc: "1.0.0-rc6+ds1", containerd: "" } }, "runc")).toMatch(/^note: .*its distribution may have mended them/);
    expect(row({ parts: { runc: "1.1.12", containerd: "" } }, "containerd")).toBe("note: the engine does not tell its version");
  });
});
