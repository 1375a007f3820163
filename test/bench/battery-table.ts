// The battery's results as a Markdown table, and its place in a page. Pure.

export interface Line {
  readonly family: string;
  readonly name: string;
  readonly outcome: "held" | "open" | "unknown";
  readonly detail: string;
}

export interface Column {
  readonly name: string;
  /** How it was run. */
  readonly how: string;
  readonly lines: readonly Line[];
  /** Why there are no lines; null when there are. */
  readonly absent: string | null;
}

const BEGIN = "<!-- battery -->";
const END = "<!-- /battery -->";
/** The column that is contained by nothing, and ours. */
const REFERENCE = "nothing held";
const OURS = "Ringfence";

/** What each miss of ours would need, by the probe's name. */
const NEEDS: ReadonlyMap<string, string> = new Map([
  ["bytes of every writable place are limited", "root, loop devices and the programs of e2fsprogs and util-linux on this machine (`ringfence doctor` says what is lacking). Until then the workspace is watched from outside and the call that fills it is ended"],
  ["inodes of every writable place are limited", "the same"],
]);

/** The whole part of the page between the markers. */
export function tableOf(columns: readonly Column[], machine: string): string {
  const ran = columns.filter((column) => column.absent === null);
  const reference = byName(ran.find((column) => column.name === REFERENCE));
  const ours = ran.find((column) => column.name === OURS);
  const shown = ran.filter((column) => column.name !== REFERENCE);
  const probes = (ours ?? shown[0])?.lines ?? [];
  const cells = new Map(shown.map((column) => [column.name, byName(column)]));
  const cell = (column: string, probe: Line): string => {
    const line = cells.get(column)?.get(key(probe));
    if (line === undefined) return "";
    // Held by nothing but the kernel's lack of it: says nothing of a sandbox.
    if (line.outcome === "held" && isAbsent(reference.get(key(probe)))) return "·";
    return line.outcome === "open" ? "**open**" : line.outcome === "held" ? "held" : "?";
  };
  const count = (column: string): string => {
    const all = probes.map((probe) => cell(column, probe));
    return `${all.filter((text) => text === "held").length} held, ${all.filter((text) => text === "**open**").length} open`;
  };
  const rows = probes.map((probe) => `| ${probe.family} | ${escape(probe.name)} | ${shown.map(({ name }) => cell(name, probe)).join(" | ")} |`);
  const misses = (ours?.lines ?? []).filter((line) => line.outcome !== "held").map((line) => `- **${escape(line.name)}** (${escape(line.detail)}). Needs ${NEEDS.get(line.name) ?? "a look"}.`);
  return [
    `${machine} \`held\`: refused; **open**: got through; \`·\`: the kernel here lacks it, so it says nothing; \`?\`: could not be told. \`npm run bench -- --battery\` makes this table anew.`,
    "",
    ...columns.map((column) => `- **${column.name}**: ${column.how}${column.absent === null ? "" : `. **Not measured**: ${escape(column.absent)}`}`),
    "",
    `| | probe | ${shown.map(({ name }) => name).join(" | ")} |`,
    `| --- | --- | ${shown.map(() => "---").join(" | ")} |`,
    ...rows,
    `| | **all** | ${shown.map(({ name }) => count(name)).join(" | ")} |`,
    "",
    misses.length === 0 ? "Misses of Ringfence: none of these probes." : "Misses of Ringfence, and what would hold them:",
    ...(misses.length === 0 ? [] : ["", ...misses]),
  ].join("\n");
}

/** Puts the part between the markers of a page, which are added at the end when it has none. */
export function replaceTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n## Attack battery\n\n${BEGIN}\n${table}\n${END}\n`;
  return `${page.slice(0, from)}${BEGIN}\n${table}\n${page.slice(to)}`;
}

const LACKING = new Set(["ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"]);

function isAbsent(line: Line | undefined): boolean {
  return line?.outcome === "held" && LACKING.has(line.detail);
}

function byName(column: Column | undefined): ReadonlyMap<string, Line> {
  return new Map((column?.lines ?? []).map((line) => [key(line), line]));
}

function key(line: Line): string {
  return `${line.family} ${line.name}`;
}

function escape(text: string): string {
  return text.replace(/[|\\`<>]/g, (character) => `\\${character}`).replace(/\s+/g, " ");
}
