// The programs whose command lines need more than a table: by name, the function that gives them their effects.

import { runAwk } from "./handlers/awk.js";
import { runCmake, runEd, runM4, runScreen, runTmux } from "./handlers/carried.js";
import { CONTROL_NAMES, runControl, runGetent, runMail, runMasscan, runTftp, runTwoWords } from "./handlers/clients.js";
import { runCpio, runDd, runDocker, runJar, runJq, runKill, runMake, runPager, runPatch, runTar, runUnzip, runVim } from "./handlers/files.js";
import { LOADER_NAMES, runLoader } from "./handlers/dotenv.js";
import { runFind } from "./handlers/find.js";
import { runGit } from "./handlers/git.js";
import { runInterpreter, INTERPRETER_NAMES } from "./handlers/interpreters.js";
import { BROWSER_NAMES, runAria, runBrowser, runCurl, runDig, runNetcat, runPing, runSsh, runWhois } from "./handlers/network.js";
import { PACKAGE_MANAGER_NAMES, runFilePackages, runPackageManager } from "./handlers/packages.js";
import { COMPRESSOR_NAMES, runCompressor, runInstall, runKeygen, runMktemp, runSplit } from "./handlers/pieces.js";
import { runSed } from "./handlers/sed.js";
import { runShell, SHELL_NAMES } from "./handlers/shells.js";
import { runSqlite } from "./handlers/sqlite.js";
import { runWrapper, WRAPPER_NAMES, runEnv, runSu, runScriptCommand } from "./handlers/wrappers.js";
import { runFd, runParallel } from "./handlers/parallel.js";
import { runXargs } from "./handlers/xargs.js";
import type { Call, Output } from "./run.js";

export type Handler = (call: Call) => Output;

function named(names: readonly string[], handler: Handler): [string, Handler][] {
  return names.map((name) => [name, handler]);
}

/** Every handler by program name. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ...named(SHELL_NAMES, runShell),
  ...named(WRAPPER_NAMES, runWrapper),
  ...named(LOADER_NAMES, runLoader),
  ...named(INTERPRETER_NAMES, runInterpreter),
  ...named(PACKAGE_MANAGER_NAMES, runPackageManager),
  ...named(["awk", "gawk", "mawk", "nawk", "original-awk"], runAwk),
  ...named(["sed", "gsed"], runSed),
  ...named(["find", "gfind"], runFind),
  ...named(["tar", "bsdtar", "gtar"], runTar),
  ...named(["vi", "vim", "nvim", "ex", "view", "vimdiff", "rvim", "emacs"], runVim),
  ...named(["nc", "ncat", "netcat", "telnet", "socat"], runNetcat),
  ...named(["ssh", "sftp"], runSsh),
  ...named(["docker", "podman", "nerdctl", "kubectl", "docker-compose", "crictl", "ctr", "lxc"], runDocker),
  ...named(["make", "gmake"], runMake),
  ...named(COMPRESSOR_NAMES, runCompressor),
  ...named(["split", "csplit", "gsplit"], runSplit),
  ...named(["mktemp", "tempfile"], runMktemp),
  ...named(["install", "ginstall"], runInstall),
  ...named(["dpkg", "rpm"], runFilePackages),
  ...named(CONTROL_NAMES, runControl),
  ["getent", runGetent],
  ...named(["sshfs", "hydra"], runTwoWords),
  ["tftp", runTftp],
  ...named(["sqlite3", "duckdb"], runSqlite),
  ["masscan", runMasscan],
  ["tmux", runTmux],
  ["screen", runScreen],
  ["cmake", runCmake],
  ["m4", runM4],
  ...named(["ed", "red"], runEd),
  ...named(["mail", "mailx", "mutt"], runMail),
  ["ssh-keygen", runKeygen],
  ["dig", runDig],
  ["whois", runWhois],
  ...named(["ping", "ping4", "ping6"], runPing),
  ["aria2c", runAria],
  ...named(BROWSER_NAMES, runBrowser),
  ["git", runGit],
  ["env", runEnv],
  ["su", runSu],
  ["script", runScriptCommand],
  ["xargs", runXargs],
  ...named(["parallel", "sem", "env_parallel"], runParallel),
  ...named(["fd", "fdfind"], runFd),
  ...named(["less", "more", "most", "pg"], runPager),
  ["curl", runCurl],
  ["wget", runCurl],
  ["dd", runDd],
  ["patch", runPatch],
  ["unzip", runUnzip],
  ["cpio", runCpio],
  ...named(["ar", "jar"], runJar),
  ["jq", runJq],
  ["kill", runKill],
]);
