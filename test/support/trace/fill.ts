// tldr's pages write what a user fills in between braces. A line is run with values of the kind its page asks for.

/** What a placeholder of this name stands for. The first row whose pattern fits decides; other names are fine values themselves. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:.*_)?ports?(?:_number)?$/, "8080"],
  [/^(?:n|number|count|integer|seconds|minutes|hours|milliseconds|days|amount|size|limit|depth|level|percentage|rate|length|duration|timeout|interval|delay|priority|width|height|index|line)$/, "3"],
  [/(?:^|_)ttl$/, "3"],
  [/^number_of_.*$|_(?:number|count|seconds|minutes|hours|time|size|limit|depth|rate|index)$/, "3"],
  [/^(?:.*_)?pid$|^process_id$/, "1"],
  [/^(?:.*_)?(?:url|uri)$/, "https://host.example/p"],
  [/^(?:.*_)?ip(?:_address)?$|^ip_or_hostname$/, "192.0.2.7"],
  [/^(?:.*_)?(?:host|hostname|domain|server|name_?server|server_name|remote_host|remote_server)$/, "host.example"],
  [/^remote(?:_name)?$/, "origin"],
  [/^(?:(?:local|remote)_)?branch(?:_name)?$/, "feature"],
  [/^commit(?:_hash)?$/, "HEAD"],
  [/^(?:network_)?interface$/, "eth0"],
  [/^(?:.*_)?(?:date|timestamp)$/, "2026-01-02"],
  [/^(?:.*_)?version$/, "1.0.0"],
  [/^query$/, "query=x"],
  [/^(?:i|j|k|num)$/, "3"],
  [/^oid$/, "1.3.6.1.2.1.1"],
  [/^server_id$/, "3"],
  [/template$/, "tmp.XXXXXX"],
  [/^owner\/repo(?:sitory)?$/, "owner/gh-repo"],
];

/** The line a page shows, with each placeholder filled: the first of its alternatives, or a value of its kind. Null when it cannot be read. */
export function fillPlaceholders(raw: string): string | null {
  if (raw.includes("\\{") || raw.includes("\\}") || raw.includes("{{{")) return null;
  return raw.replace(/\{\{(.*?)\}\}/g, (_, inside: string) => {
    const optional = /^\[(.*)\]$/.exec(inside);
    if (optional !== null) return (optional[1] ?? "").split("|")[0] ?? "";
    const several = inside.endsWith(" ...") ? firstOf(inside.slice(0, -4).split(" ")) : inside.replace(/,\.\.\.$/, "");
    const first = /^[^\s|]+(?:\|[^\s|]+)+$/.test(several) ? (several.split("|")[0] ?? "") : several;
    const name = /^[a-z_]+?\d$/.test(first) && inside.endsWith(" ...") ? first.replace(/\d$/, "") : first;
    return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? first;
  });
}

/** Of several that are written out to show that there may be more. */
function firstOf(words: readonly string[]): string {
  return words.slice(0, Math.ceil(words.length / 2)).join(" ");
}

/** Set by bash or by the session itself. */
const OWN = /^(?:HOME|PATH|PWD|OLDPWD|USER|LOGNAME|SHELL|TERM|LANG|IFS|RANDOM|SECONDS|LINENO|UID|EUID|PPID|HOSTNAME|REPLY|BASH.*|PS\d|OSTYPE|HOSTTYPE|FUNCNAME|OPTARG|OPTIND|GIT_.*)$/;

/**
 * The line with values in front for the variables and arguments that it takes for given: read and nowhere set. A folder's name gets a folder,
 * others a value of their kind or a file.
 */
export function withVariables(text: string): string {
  const used = [...new Set([...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name]) => name ?? ""))];
  const free = used.filter((name) => !OWN.test(name) && !new RegExp(`\\b${name}(?:=|\\+=|\\[)|(?:for|read|select|mapfile|readarray|getopts|local|declare)\\b[^;|&]*\\b${name}\\b`).test(text)).slice(0, 10);
  const set = free.map((name) => `${name}=${/dir|path|folder|location|container|place/i.test(name) ? "dir" : (KINDS.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1] ?? "file.txt")}; `);
  const given = /\$\{?[1-9@*]/.test(text) ? ["set -- file1.txt file2.txt; "] : [];
  return `${[...given, ...set].join("")}${text}`;
}
