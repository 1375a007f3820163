// Times of many different inputs, each asked once: nothing that was kept of an earlier answer can help.

/**
 * @param {{ timed: readonly string[], warm: readonly string[] }} commands
 * @param {(command: string) => unknown} judge
 */
export function measureOnce({ timed, warm }, judge) {
  for (const command of warm) judge(command);
  const samples = timed.map((command) => {
    const begun = process.hrtime.bigint();
    judge(command);
    return Number(process.hrtime.bigint() - begun) / 1000;
  });
  samples.sort((a, b) => a - b);
  const total = samples.reduce((sum, value) => sum + value, 0);
  return { p50: samples[Math.floor(samples.length / 2)], p99: samples[Math.floor(samples.length * 0.99)], perSecond: (samples.length / total) * 1e6 };
}
