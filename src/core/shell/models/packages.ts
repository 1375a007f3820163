// Package managers as data: what each verb does, and which folders and files an installation writes.

import { once } from "../../shared/index.js";
import { compile, type Model } from "../model.js";

/**
 * reads, queries (network), runs (project code), exec (a named program, fetched when it is missing), starts (a named program that is
 * installed), makes (a project, from a fetched template when one is named), installs, removes (without a network), fetches, writes,
 * publishes, nested (verbs follow), else unknown code.
 */
export interface PackageManager {
  readonly model: Model;
  readonly verbs: ReadonlyMap<string, string>;
  /** Without a verb. */
  readonly bare: string;
  /** An unlisted verb. */
  readonly other: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly offline: ReadonlySet<string>;
}

interface Row {
  readonly names: string;
  readonly verbs: Readonly<Record<string, string>>;
  readonly bare?: string;
  readonly other?: string;
  readonly folders?: string;
  readonly files?: string;
  readonly options?: string;
  /** Options with which it stays away from the network. */
  readonly offline?: string;
}

const NODE_FLAGS = "--prefix:p -C:p --cwd:p --dir:p --registry:u --userconfig:r --globalconfig:r --script-shell:x --cache:C -w:t --workspace:t --filter:t -F:t --loglevel:t --tag:t --otp:t --omit:t --include:t --node-options:t --pack-destination:C --outfile:w --outdir:C --out-dir:C --outDir:C";
const PIP_FLAGS = "-r:r --requirement:r -c:r --constraint:r -e:R --editable:R -t:C --target:C --prefix:C --root:C --src:C -d:C --dest:C -w:C --wheel-dir:C -i:u --index-url:u --extra-index-url:u -f:t --find-links:t --proxy:u --cert:r --client-cert:r --cache-dir:C --log:w --report:w --platform:t --python-version:t --implementation:t --abi:t --python:t --timeout:t --retries:t --trusted-host:t --upgrade-strategy:t --only-binary:t --no-binary:t --progress-bar:t --config-settings:t --format:t --exists-action:t --global-option:t";

const NODE_VERBS = {
  reads: "ls list ll la root prefix bin config get help docs explain why fund doctor completion ping why",
  queries: "view info show outdated audit search ping whoami",
  runs: "test t tst run run-script start stop restart version build lint rebuild rb pack prepare dedupe",
  makes: "create init innit",
  installs: "install i in ins inst add ci isntall clean-install install-test it update up upgrade link ln import",
  removes: "uninstall un remove rm r unlink prune",
  publishes: "publish unpublish deprecate dist-tag login logout adduser owner access token team org star hook",
  writes: "set pkg shrinkwrap",
};
const NODE = { bare: "installs", other: "runs", folders: "node_modules", files: "package.json package-lock.json", options: NODE_FLAGS, offline: "--offline" };

const ROWS: readonly Row[] = [
  { names: "npm cnpm", verbs: { ...NODE_VERBS, exec: "exec x" }, ...NODE },
  { names: "pnpm yarn", verbs: { ...NODE_VERBS, exec: "dlx", starts: "exec" }, ...NODE },
  { names: "npx bunx pnpx", verbs: {}, other: "exec", bare: "reads", folders: "node_modules", options: `${NODE_FLAGS} -p:t --package:t -c:s --call:s --shell:x` },
  { names: "pip pip-compile pip-sync easy_install", verbs: { reads: "list freeze show check config help debug inspect hash completion env info", queries: "search index download", installs: "install wheel sync upgrade reinstall inject create update", removes: "uninstall remove", writes: "cache" }, bare: "reads", other: "installs", options: PIP_FLAGS, offline: "--no-index" },
  { names: "pipx", verbs: { reads: "list environment completions help", installs: "install inject upgrade upgrade-all reinstall reinstall-all ensurepath", removes: "uninstall uninstall-all uninject", exec: "run" }, bare: "reads", other: "installs", options: PIP_FLAGS },
  { names: "conda mamba micromamba", verbs: { reads: "list info config help compare doctor activate deactivate shell init env", queries: "search repoquery notices", installs: "install create update upgrade", removes: "uninstall remove", writes: "clean package rename", starts: "run" }, bare: "reads", other: "installs", options: "-n:t --name:t -p:C --prefix:C -c:t --channel:t --file:r -f:r", offline: "--offline" },
  { names: "uv", verbs: { reads: "version help tree", nested: "pip tool cache python self", installs: "add remove sync lock venv build export", writes: "init", exec: "run", publishes: "publish" }, bare: "reads", folders: ".venv", files: "pyproject.toml uv.lock", options: PIP_FLAGS, offline: "--offline" },
  { names: "uvx", verbs: {}, other: "exec", bare: "reads" },
  { names: "hatch", verbs: { reads: "version env status config help dep project python", writes: "new init", exec: "run test fmt", runs: "shell build clean", publishes: "publish" }, bare: "reads", other: "installs", files: "pyproject.toml" },
  { names: "poetry pdm rye pipenv flit", verbs: { reads: "show version env check config list about help info graph cache source", queries: "search", installs: "install add update lock sync self export", removes: "remove uninstall clean", writes: "init new", starts: "run", runs: "shell test build", publishes: "publish" }, bare: "reads", other: "installs", folders: ".venv", files: "pyproject.toml poetry.lock" },
  { names: "cargo", verbs: { reads: "version help metadata tree locate-project pkgid read-manifest verify-project", queries: "search", runs: "build b test t run r check c bench doc d clippy rustc fix", installs: "install add update fetch vendor generate-lockfile", removes: "remove rm uninstall", publishes: "publish yank login owner", writes: "clean fmt init new logout" }, bare: "reads", folders: "target", files: "Cargo.toml Cargo.lock", offline: "--offline --frozen", options: "--list!lists --manifest-path:r --target-dir:C -C:p --config:t -p:t --package:t --features:t -F:t --bin:t --example:t --test:t -j:t --jobs:t --target:t --profile:t" },
  { names: "go", verbs: { reads: "version env doc list help", runs: "build run test generate tool vet", installs: "get install", nested: "mod work", writes: "fmt fix clean" }, bare: "reads", files: "go.mod go.sum", options: "-C:p -o:w -exec:s -toolexec:s -vettool:x -coverprofile:w -cpuprofile:w -memprofile:w" },
  { names: "gem bundle bundler rake rails", verbs: { reads: "list env help which info specification show check platform config contents environment dependency doctor", queries: "search outdated", installs: "install update add lock cache package", removes: "remove uninstall", writes: "init", starts: "exec", publishes: "push" }, bare: "runs", other: "runs", folders: "vendor", files: "Gemfile.lock", offline: "--local" },
  { names: "composer", verbs: { reads: "show licenses validate status diagnose about help", installs: "install update require remove create-project global", starts: "exec", runs: "run-script run dump-autoload" }, bare: "reads", other: "runs", folders: "vendor", files: "composer.json composer.lock" },
  { names: "gradle gradlew mvn mvnw ant sbt lein bazel bazelisk buck nx turbo lerna gulp grunt just task invoke fab scons waf meson xmake swiftpm mix rebar3 stack cabal dune opam dub zig nimble shards dotnet msbuild xcodebuild flutter dart pub", verbs: {}, bare: "runs", other: "runs", options: "-f:r --file:r -p:p -b:r --build-file:r --dotenv-path:r --dotenv-filename:r --project-dir:p -C:p -D?:t -P?:t" },
  { names: "tox nox pytest py.test nosetests nose2 trial behave jest mocha vitest ava tap karma cypress playwright phpunit rspec ctest bats eslint prettier tsc webpack vite rollup esbuild parcel babel next nuxt ng vue-cli-service tslint mypy pylint flake8 black isort ruff pyright pre-commit sphinx-build mkdocs coverage bandit rubocop stylelint standard xo nyc c8 cucumber robot locust pyinstaller cython rst2html alembic celery gunicorn uvicorn flask django-admin scrapy jupyter streamlit ipdb hypothesis", verbs: {}, bare: "runs", other: "runs", options: "-o:w --output:w --outDir:C --out-dir:C --outdir:C --outfile:w --outFile:w --junitxml:w --junit-xml:w --cov-report:t -c:r --config:r --rootdir:p -k:t -m:t -n:t -p:t -x -W:t --tb:t --maxfail:t --ignore:t --env-file:r" },
  { names: "yum dnf microdnf", verbs: { reads: "help history list ls info if search se provides whatprovides repolist repoquery rq deplist grouplist groupinfo", queries: "check-update check updateinfo makecache", fetches: "download reposync", removes: "remove rm erase autoremove clean" }, bare: "reads", other: "installs", folders: "/usr /etc /var", options: "-c:r --config:r --enablerepo:t --disablerepo:t --repo:t --repoid:t --installroot:C --releasever:t" },
  { names: "brew", verbs: { reads: "list ls info desc uses deps leaves config doctor log cat home commands shellenv analytics help search", queries: "outdated update livecheck", fetches: "fetch", removes: "uninstall remove rm cleanup autoremove link unlink pin unpin" }, bare: "reads", other: "installs", folders: "/usr /etc /var" },
  { names: "apt apt-get aptitude dpkg-reconfigure zypper pacman apk snap flatpak port emerge xbps-install opkg guix choco cpan cpanm luarocks apt-key add-apt-repository", verbs: { reads: "list search show info depends rdepends policy --version help rdepends showsrc changelog moo why config", queries: "update", removes: "remove purge autoremove clean autoclean uninstall rm hold unhold mark" }, bare: "reads", other: "installs", folders: "/usr /etc /var", options: "-o:t -c:r -t:t -i!install -C:p --root:C" },
  { names: "nix nix-env nix-shell", verbs: { nested: "registry", reads: "list search show info depends rdepends policy --version help rdepends showsrc changelog moo why config", queries: "update", removes: "remove purge autoremove clean autoclean uninstall rm hold unhold mark" }, bare: "reads", other: "installs", folders: "/nix", options: "-o:t -c:r -t:t -i!install -C:p --root:C" },
  { names: "apt-cache dpkg-query apt-file equery", verbs: {}, bare: "reads", other: "reads" },
  { names: "rustup", verbs: { reads: "show which doc man default completions help", nested: "toolchain component target override self", starts: "run" }, bare: "reads", other: "installs" },
  { names: "corepack nvm fnm volta asdf mise rbenv pyenv sdk jenv", verbs: { reads: "list ls current which version versions help status local global shell rehash hook init prefix root whence commands shims completions default show home where bin env use alias unalias uninstall remove which-key doctor config disable enable set unset settings trust", queries: "ls-remote list-remote list-all version-remote", exec: "x", starts: "exec run" }, bare: "reads", other: "installs", options: "-l!lists --list!lists" },
  { names: "direnv", verbs: { starts: "exec", reads: "help status version stdlib show_dump fetchurl hook", runs: "reload export edit allow permit grant deny block revoke prune dotenv" }, bare: "reads", other: "reads" },
];

const NESTED: readonly Row[] = [
  { names: "uv\u0000pip", verbs: { reads: "list freeze show check tree", removes: "uninstall", installs: "install sync compile" }, bare: "reads", folders: ".venv", options: PIP_FLAGS },
  { names: "uv\u0000tool", verbs: { reads: "list dir", exec: "run", removes: "uninstall", installs: "install upgrade" }, bare: "reads" },
  { names: "uv\u0000cache", verbs: { reads: "dir size", writes: "clean prune" }, bare: "reads" },
  { names: "uv\u0000python", verbs: { reads: "list find dir pin", removes: "uninstall", installs: "install upgrade" }, bare: "reads" },
  { names: "uv\u0000self", verbs: { reads: "version", installs: "update" }, bare: "reads" },
  { names: "go\u0000mod", verbs: { reads: "verify", writes: "init edit", fetches: "tidy vendor download graph why" }, bare: "reads", files: "go.mod go.sum" },
  { names: "nix\u0000registry", verbs: { queries: "list", writes: "add remove", fetches: "pin" }, bare: "reads" },
  { names: "go\u0000work", verbs: { writes: "init use edit", fetches: "sync vendor" }, bare: "reads", files: "go.work" },
  ...["toolchain", "component", "target", "override", "self"].map((noun): Row => ({ names: `rustup\u0000${noun}`, verbs: { reads: "list set unset", removes: "remove uninstall link", installs: "add install update upgrade-data" }, bare: "reads" })),
];

function compileRow(row: Row): PackageManager {
  const verbs = once(() => new Map(Object.entries(row.verbs).flatMap(([kind, names]) => names.split(" ").map((name): [string, string] => [name, kind]))));
  return {
    model: compile("t*", row.options ?? "", ""),
    get verbs() {
      return verbs();
    },
    bare: row.bare ?? "unknown",
    other: row.other ?? "unknown",
    folders: row.folders?.split(" ") ?? [],
    files: row.files?.split(" ") ?? [],
    offline: new Set(row.offline?.split(" ") ?? []),
  };
}

/** Every package manager and project tool by name; a nested one as `uv pip`. */
export const PACKAGE_MANAGERS: ReadonlyMap<string, PackageManager> = new Map(
  [...ROWS, ...NESTED].flatMap((row) => {
    const made = compileRow(row);
    return row.names.split(" ").map((name): [string, PackageManager] => [name.replace("\u0000", " "), made]);
  }),
);
