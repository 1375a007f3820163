// Package managers: which verbs fetch, which start what is installed, and what is only asked.

import { describe, expect, test } from "vitest";
import { sessionEnvironment } from "../../../src/core/shell/index.js";
import { touches } from "./support.js";

const connects = (text: string): boolean => touches(text).some((line) => line.startsWith("connect"));

describe("what is installed is started without a connection", () => {
  test.each(["poetry run pytest", "pipenv run pytest", "pdm run test", "rye run pytest", "conda run -n x pytest", "bundle exec rspec", "composer exec phpunit", "pnpm exec vitest", "yarn exec tsc", "rbenv exec ruby a.rb", "nvm exec 18 npm test", "rustup run nightly cargo test", "npm init -y"])("%s", (text) => {
    expect(connects(text)).toBe(false);
  });

  test.each(["npm exec vitest", "npm x vitest", "pnpm dlx vite", "yarn dlx vite", "uv run pytest", "uv tool run ruff", "npx vitest", "npm init react-app x", "npm create vite"])("a runner that fetches what is missing connects: %s", (text) => {
    expect(connects(text)).toBe(true);
  });

  test.each(["poetry run rm x", "poetry run -q rm x", "pipenv run --unknown value rm x", "uv run --with a rm x", "uv run -- rm x", "uv run --unknown rm x", "npm exec rm x", "npm exec -- rm x", "npm exec -c 'rm x'", "npm x --unknown rm x", "pnpm exec rm x", "pnpm dlx rm x", "yarn exec 'rm x'", "conda run -n a rm x", "conda run -p /h/e rm x", "bundle exec rm x", "composer exec -- rm x", "nvm exec 18 rm x", "fnm exec --using=18 rm x", "mise exec node@20 -- rm x", "mise x -- rm x", "rustup run nightly rm x", "direnv exec . rm x", "asdf exec rm x", "pyenv exec rm x", "uv tool run rm x"])("the command behind it is seen: %s", (text) => {
    expect(touches(text)).toContain("delete /w/x");
  });

  test("options of the command are not the runner's", () => {
    expect(touches("uv run python -c 'print(1)'")).toEqual(["code project uv", "connect ?", "code inline python print(1)"]);
  });
});

describe("help, lists and what stays away from the network", () => {
  test.each(["npm install --help", "pip install -h", "uv self update --help", "cargo publish --help", "conda create -h", "nix flake --help", "cargo install --list", "pyenv install --list", "uv cache clean", "uv python find 3.11", "uv self version", "rustup toolchain list", "rustup component list", "go mod init example.test/p", "go mod edit -require=a@v1", "conda compare a.yml", "npm ci --offline", "cargo fetch --offline", "docker --version", "docker run --help", "gh alias list", "gh browse -n", "gh issue new -h", "aws s3 cp --help", "git clone ../sub", "git clone path/to/file.bundle sub", "pip install --no-index a", "pip install --no-deps --no-build-isolation -e .", "pip3 install --no-deps ./dist/a.whl", "python3 -m pip install -e '.[dev]' --no-deps --no-build-isolation", "uv pip install --no-deps --no-build-isolation -e .", "gem install --local a.gem"])("does not connect: %s", (text) => {
    expect(connects(text)).toBe(false);
  });

  test.each(["npm install --log --help evil", "pip install --log --help evil", "npm install --offline https://a.test/x.tgz", "pip install --no-index -r list.txt", "pip install --no-index git+https://a.test/x", "npm ci --offline $X", "pip install -e .", "pip install --no-deps -e .", "pip install --no-deps --no-build-isolation -e . numpy", "pip install --no-deps --no-build-isolation git+https://a.test/x", "pip install --no-deps --no-build-isolation https://a.test/a.whl", "pip install --no-deps --no-build-isolation -r r.txt .", "pip install --no-deps --no-build-isolation $X", "docker run alpine --help", "gh issue list", "gh issue new --title --help", "smbclient -h server", "git clone --recurse-submodules ./sub", "git clone $X", "git clone host:p", "git pull sub main", "uv self update", "uv python install 3.12", "rustup toolchain install nightly", "go mod tidy", "go mod download", "cargo install ripgrep", "dnf check-update", "brew outdated"])("connects: %s", (text) => {
    expect(connects(text)).toBe(true);
  });
});

describe("git's own", () => {
  const inSession = { environment: sessionEnvironment({ home: "/h", cwd: "/w" }), environmentIsWhole: true };

  test("what is global is the file that the environment names", () => {
    expect(touches("git config --global user.name a", inSession)).toEqual(["env git user.name=a"]);
    expect(touches("git config --global user.name a")).toContain("write /h/.gitconfig");
  });

  test.each(["env -u GIT_CONFIG_GLOBAL git config --global user.name a", "env -i git config --global user.name a", "unset GIT_CONFIG_GLOBAL; git config --global user.name a", "export -n GIT_CONFIG_GLOBAL; git config --global user.name a", "GIT_CONFIG_GLOBAL= git config --global user.name a", "exec -c git config --global user.name a", "bash -c 'git config --global user.name a'"])("unless git may not see it: %s", (text) => {
    expect(touches(text, inSession)).toContain("write /h/.gitconfig");
  });

  test("help of a subcommand changes nothing, unless it stands behind other words", () => {
    expect(touches("git restore --help .")).toEqual([]);
    expect(touches("git rebase -x 'rm x' --help")).toContain("delete /w/x");
    expect(touches("git foo --help")).toEqual(["code program git git foo"]);
  });
});

describe("names that go from one search to the next", () => {
  test.each<[string, string]>([
    ["find src -name '*.php' | xargs grep -l a | xargs sed -i s/a/b/", "write /w/src/**/*.php ~"],
    ["grep -l a *.py | xargs rm", "delete /w/*.py ~"],
    ["grep -rl a src | xargs rm", "delete /w/src/** ~"],
    ["grep -l a \"$X\" | xargs rm", "opaque"],
    ["find /etc | xargs grep -l a | xargs rm", "delete /etc/** ~"],
    ["find src -name '*.x' | tr '\\n' '\\0' | xargs -0 rm", "delete /w/src/**/*.x ~"],
    ["find /etc -printf '%p\\n' | xargs rm", "delete /etc/** ~"],
    ["find src -printf '%f\\n' | xargs rm", "opaque"],
    ["find src | tr a b | xargs rm", "opaque"],
    ["git rev-list --all | xargs rm", "delete /w/[0-9a-f]* ~"],
    ["rm $(git rev-parse --short HEAD)", "delete /w/[0-9a-f]* ~"],
    ["rm $(git rev-parse HEAD)", "opaque"],
    ["git rev-list --objects --all | xargs rm", "opaque"],
    ["git rev-list $X | xargs rm", "opaque"],
    ["grep -l a | xargs rm", "delete /w/\\(standard input\\) ~"],
    ["rm -rf \"$(basename /)\"", "delete / tree"],
    ["rm -rf \"$(basename // x)\"", "delete / tree"],
  ])("%s: %s", (text, expected) => {
    expect(touches(text)).toContain(expected);
  });
});

describe("a `sed` script with a part that cannot be told", () => {
  test.each(["sed -i s/[Ee]dx/b/g f", "sed -i s/a.*/b/ f", "sed -i \"s/a/on $(date +%F)/\" f"])("is one `s` command whatever a wildcard between slashes stands for: %s", (text) => {
    expect(touches(text)).not.toContain("opaque");
  });

  test.each(["sed s/*/x/w* f", "sed s?a?b?e f", "sed \"s/a/$X/\" f", "sed \"s/a/b/$(date +%F)\" f", "sed \"$(date +%F)\" f", "sed s/*/x/\\;s/y/w*/ f", "sed \"s/$(cat g)/b/\" f", "sed s/**/b/ f"])("is opaque where it may be another command or flag: %s", (text) => {
    expect(touches(text)).toContain("opaque");
  });
});

describe("what ends before it does anything", () => {
  test.each(["> $UNSET", "whois a@b.test", "mktemp -p dir file.txt", "find . -ok mv {} files +", "gh ext list", "gh ext remove a"])("%s", (text) => {
    expect(touches(text, { environmentIsWhole: true }).filter((line) => !line.startsWith("code"))).toEqual([]);
  });

  test.each<[string, string]>([["whois -h a.test a@b.test", "connect a.test"], ["whois a.test", "connect a.test"], ["find . -ok rm {} \\;", "delete /w/** ~"], ["find . -ok rm {} \"$X\"", "opaque"], ["mktemp -p dir a.XXX", "create /w/dir/a.* ~"], ["find .* -maxdepth 0", "read /w/.* ~"], ["find .* -maxdepth 1", "read /w/.* ~ tree"], ["echo x > $(cat f)", "opaque"], ["echo x > $X$Y", "opaque"], ["%?string", "code program a job"], ["%*/rm x", "opaque"], ["gh ext upgrade a", "connect ?"]])("%s does not: %s", (text, expected) => {
    expect(touches(text)).toContain(expected);
  });
});
