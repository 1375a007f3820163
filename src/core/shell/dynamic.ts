// Variables whose value is bash's own, whatever a script assigns.

/** Variables that bash makes anew whenever they are looked at, whatever was assigned. */
const DYNAMIC = new Set(["RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME", "LINENO", "BASHPID", "BASH_SUBSHELL", "UID", "EUID", "PPID", "HISTCMD", "FUNCNAME", "GROUPS", "DIRSTACK", "PIPESTATUS", "BASH_COMMAND", "BASH_LINENO", "BASH_SOURCE", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO", "COMP_WORDBREAKS", "_"]);

/** Tells whether what is assigned to a name stays there. */
export function isDynamic(name: string): boolean {
  return DYNAMIC.has(name);
}
