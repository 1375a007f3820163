// git's subcommands as data: options, file effects, hooks, network. Names and arities as in git's own manual pages.

import { compile, type Model } from "../model.js";

/** One subcommand. */
export interface GitCommand {
  readonly model: Model;
  /** Changes files of the working tree. */
  readonly tree: boolean;
  /** Writes under `.git`. */
  readonly repository: boolean;
  /** May run hooks, filters or drivers that the repository names. */
  readonly hooks: boolean;
  /** Connects: to its first operand, or always to a configured remote, or with some of its own verbs. */
  readonly connects: "operand" | "always" | "verbs" | null;
  /** Its operands hold a command. */
  readonly runs: "bisect" | "foreach" | null;
}

/** git's own options before the subcommand. */
export const GIT_GLOBAL: Model = compile("t*", "-C:t -c:t --config-env:t --exec-path?:t --git-dir:t --work-tree:t --namespace:t --super-prefix:t --attr-source:t --list-cmds:t -p --paginate -P --no-pager --bare --no-replace-objects --literal-pathspecs --glob-pathspecs --noglob-pathspecs --icase-pathspecs --no-optional-locks --version --help --html-path --man-path --info-path", "stops");

type Row = readonly [names: string, operands: string, options?: string, traits?: string];

const DIFF = "--output:w -O:r --ext-diff!external -U:t -S:t -G:t --name-only!names --name-status --stat?:t --format:t --pretty?:t --since:t --until:t --author:t --grep:t -n:t -L:t --diff-filter:t --max-count:t --date:t --contents:r --word-diff?:t --color?:t -l:t -M?:t -C?:t";

/** Traits: tree, repo, hooks, operand, always, bisect, foreach. */
const ROWS: readonly Row[] = [
  ["status log diff show blame annotate shortlog reflog whatchanged range-diff diff-tree diff-files diff-index", "t*", DIFF],
  ["grep", "t*", "-e:t -f:r -l!names --files-with-matches!names --name-only!names -O?:s --open-files-in-pager?:s -A:t -B:t -C:t -m:t --max-depth:t --threads:t"],
  ["ls-files ls-tree", "t*", "-s!notpaths --stage!notpaths -x:t --exclude:t -X:r --exclude-from:r --format:t!notpaths --abbrev?:t"],
  ["describe rev-parse rev-list cat-file name-rev merge-base show-ref for-each-ref check-ignore check-attr var version help count-objects cherry verify-commit verify-tag whatchanged get-tar-commit-id check-ref-format column stripspace show-branch merge-tree", "t*", "--output:w -n:t --format:t --sort:t --batch-check?:t --batch?:t"],
  ["interpret-trailers", "r*", "--in-place --trim-empty --where:t --if-exists:t --if-missing:t --trailer:t --only-trailers --only-input --unfold --parse"],
  ["hash-object", "r*", "-t:t --path:t --stdin --stdin-paths --literally --no-filters -w"],
  ["symbolic-ref", "t*", "-m:t -d!delete --delete!delete -q --quiet --short --recurse --no-recurse"],
  ["add stage", "r*", "--chmod:t --pathspec-from-file:r -n!dry --dry-run!dry", "repo"],
  ["commit", "t*", "-m:t --message:t -F:r --file:r -t:r --template:r -C:t -c:t --fixup:t --squash:t --author:t --date:t --cleanup:t -S?:t --gpg-sign?:t --trailer:t -u?:t --pathspec-from-file:r --dry-run!dry -n", "repo hooks"],
  ["branch", "t*", "-u:t --set-upstream-to:t --contains:t --merged:t --no-merged:t --points-at:t --sort:t --format:t", "repo"],
  ["tag notes replace update-ref update-index read-tree write-tree commit-tree pack-refs mktag mktree reset-author gc repack fsck maintenance pack-objects unpack-objects index-pack multi-pack-index sparse-checkout rerere fast-import update-server-info pack-redundant prune-packed", "t*", "-m:t -F:r --file:r -u:t", "repo"],
  ["prune", "t*", "--expire:t -n!dry --dry-run!dry -v --verbose --progress", "repo"],
  ["bundle", "t w", "", "repo"],
  ["fast-export format-patch archive request-pull", "t*", "-o:C --output-directory:C --output:w --remote:u --prefix:t --format:t -n:t --start-number:t --export-marks:w --import-marks:r --exec:t"],
  ["checkout switch", "t*", "-b:t!branch -B:t!branch --orphan:t!branch -c:t!branch -C:t!branch --create:t!branch --force-create:t!branch -f!force --force!force --discard-changes!force --conflict:t --pathspec-from-file:r!listed", "tree repo hooks"],
  ["restore", "t*", "-S!staged --staged!staged -W!worktree --worktree!worktree -s:t --source:t --conflict:t --pathspec-from-file:r", "tree repo"],
  ["reset", "t*", "--hard!hard --merge!hard --keep!hard --pathspec-from-file:r", "tree repo"],
  ["clean", "t*", "-e:t --exclude:t -n!dry --dry-run!dry", "tree"],
  ["stash", "t*", "-m:t --message:t --pathspec-from-file:r", "tree repo"],
  ["merge cherry-pick revert rebase", "t*", "-m:t -F:r -s:t --strategy:t -X:t --strategy-option:t -S?:t -x:s --exec:s --onto:t --into-name:t -C:t", "tree repo hooks"],
  ["am", "r*", "-C:t -p:t --directory:t --exclude:t --include:t -S?:t", "tree repo hooks"],
  ["checkout-index", "t*", "--prefix:C --stage:t -u -q -a -f -n"],
  ["apply", "r*", "-p:t -C:t --directory:t --exclude:t --include:t --build-fake-ancestor:w --stat!dry --numstat!dry --summary!dry --check!dry", "tree"],
  ["rm", "d*", "-r!tree --cached!dry -n!dry --dry-run!dry --pathspec-from-file:r", "repo"],
  ["mv", "move", "-n!dry --dry-run!dry -f -k -v", "repo"],
  ["init init-db", "C", "--template:R --separate-git-dir:C --object-format:t -b:t --initial-branch:t --shared?:t -q"],
  ["clone", "t t", "--template:R --reference:R --reference-if-able:R --separate-git-dir:C -o:t --origin:t -b:t --branch:t -u:t --upload-pack:t --depth:t --shallow-since:t --shallow-exclude:t -c:t --config:t -j:t --jobs:t --filter:t --bundle-uri:u --recurse-submodules?:t", "operand hooks"],
  ["fetch ls-remote send-pack fetch-pack http-fetch http-push", "t", "--upload-pack:t --receive-pack:t --exec:t --depth:t -j:t -o:t --refmap:t --server-option:t", "operand repo"],
  ["pull", "t", "--upload-pack:t --depth:t -j:t -s:t -X:t -o:t", "operand tree repo hooks"],
  ["push", "t", "--receive-pack:t --exec:t --repo:u -o:t --push-option:t -u --set-upstream -n!dry --dry-run!dry", "operand hooks"],
  ["remote", "t*", "-t:t -m:t", "repo"],
  ["submodule", "t*", "-b:t --name:t --reference:R --depth:t", "tree repo hooks foreach verbs"],
  ["subtree svn p4 cvsimport", "t*", "-P:t --prefix:t -m:t", "tree repo hooks verbs"],
  ["send-email imap-send", "t*", "", "repo hooks always"],
  ["daemon instaweb archimport quiltimport credential credential-store credential-cache", "t*", "-P:t --prefix:t -m:t -b:t -p:t", "tree repo hooks"],
  ["bisect", "t*", "", "tree repo bisect"],
  ["worktree", "t*", "-b:t -B:t --reason:t", "tree repo hooks"],
  ["filter-branch filter-repo", "t*", "--env-filter:s --tree-filter:s --index-filter:s --parent-filter:s --msg-filter:s --commit-filter:s --tag-name-filter:s --subdirectory-filter:t -d:C", "tree repo hooks"],
  ["difftool mergetool", "t*", "-t:t --tool:t -x:s --extcmd:s", "tree hooks"],
  ["lfs", "t*", "", "tree repo hooks always"],
  ["config", "t*", "-f:t --file:t --blob:t --type:t --default:t --get-urlmatch --comment:t --value:t"],
  ["mailinfo", "w w", ""],
  ["mailsplit", "r*", "-o:C"],
];

/** Every subcommand by name. */
export const GIT_COMMANDS: ReadonlyMap<string, GitCommand> = new Map(
  ROWS.flatMap(([names, operands, options = "", traits = ""]) => {
    const has = new Set(traits.split(" "));
    const command: GitCommand = {
      model: compile(operands, options, ""),
      tree: has.has("tree"),
      repository: has.has("repo"),
      hooks: has.has("hooks"),
      connects: has.has("operand") ? "operand" : has.has("always") ? "always" : has.has("verbs") ? "verbs" : null,
      runs: has.has("bisect") ? "bisect" : has.has("foreach") ? "foreach" : null,
    };
    return names.split(" ").map((name): [string, GitCommand] => [name, command]);
  }),
);
