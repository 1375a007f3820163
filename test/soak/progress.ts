// How far a suite is: one line that is written over on a terminal, a line a minute elsewhere.

const STEP_MS = 200;
const PLAIN_MS = 60_000;

export interface Progress {
  update(cases: number, failed: number): void;
  end(): void;
}

export function progressOf(name: string, count: number, out: NodeJS.WriteStream): Progress {
  const begun = performance.now();
  const every = out.isTTY ? STEP_MS : PLAIN_MS;
  let last = out.isTTY ? 0 : begun;
  return {
    update: (cases, failed) => {
      const now = performance.now();
      if (now - last < every) return;
      last = now;
      const seconds = (now - begun) / 1000;
      const left = cases === 0 ? "" : `, ${duration((seconds / cases) * Math.max(0, count - cases))} left`;
      const line = `${name}  ${cases.toLocaleString("en")} of ${count.toLocaleString("en")}${failed === 0 ? "" : `, ${failed} FAILED`}  ${duration(seconds)}${left}`;
      out.write(out.isTTY ? `\r\u001b[K${line.slice(0, Math.max(20, (out.columns ?? 80) - 1))}` : `${line}\n`);
    },
    end: () => {
      if (out.isTTY) out.write("\r\u001b[K");
    },
  };
}

export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 6_000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
