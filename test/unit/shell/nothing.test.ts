import { describe, expect, test } from "vitest";
import { touches } from "./support.js";

describe("`find` at a place with an empty name finds nothing", () => {
  test.each(["find '' -type f -delete", "find \"\" -exec rm {} \\;", "find '' | xargs rm", "find '' -name '*.o' | grep -v keep | sort -u | head -n 5 | xargs rm -f", "find '' | xargs -I{} mv {} /srv", "for f in $(find ''); do rm \"$f\"; done"])("%s", (text) => expect(touches(text)).toEqual([]));

  test("what it goes on to is looked at, and what it writes is written", () => {
    expect(touches("find '' /srv -delete")).toContain("delete /srv tree");
    expect(touches("find '' /srv | xargs rm")).toContain("delete /srv/** ~");
    expect(touches("find '' -fprint list")).toEqual(["write /w/list"]);
    expect(touches("find \"$X\" | xargs rm")).not.toEqual([]);
  });
});

describe("of no line a filter prints none", () => {
  test.each(["printf '' | grep -L a | xargs rm", "printf '' | grep -e a b | xargs rm", "printf '' | shuf -e a b | xargs rm", "printf '' | sort b | xargs rm", "printf '' | head -v | xargs rm", "printf '' | grep -rl a | xargs rm", "printf '' | sort $X | xargs rm", "printf '' | grep -c a | xargs rm"])("but for one that prints something else: %s", (text) => expect(touches(text).filter((line) => !line.startsWith("read"))).not.toEqual([]));
});

describe("where a client's words lead", () => {
  test.each<[string, string]>([
    ["elinks -dump notes.html", "read /w/notes.html"],
    ["lynx ./page", "read /w/page"],
    ["w3m https://a.test/notes.html", "connect a.test"],
    ["links a.test/notes.html", "connect a.test"],
    ["lynx \"$X\"", "connect ?"],
    ["iperf3 -c a.test -T -s", "connect ?"],
    ["iperf3 -s $X", "connect ?"],
    ["rpcinfo -p localhost", "connect localhost"],
    ["showmount -e a.test", "connect a.test"],
    ["hg pull https://a.test/r", "connect a.test"],
    ["hg push", "connect ?"],
    ["mosquitto_pub -h a.test -t b -m c", "connect a.test"],
    ["mosquitto_sub -ha.test -t b", "connect a.test"],
    ["ab -n 9 -e times.csv http://a.test/", "connect a.test"],
    ["ab -e times.csv http://a.test/", "write /w/times.csv"],
    ["sshfs a@b.test:c there -o ro", "connect ?"],
    ["sshfs a@b.test:c \"$X\"", "connect ?"],
    ["hydra -l a -P list ssh://a.test", "connect ?"],
    ["hydra -l a -P list a.test ssh", "connect ?"],
    ["hydra -R", "connect ?"],
    ["hydra -l a -M hosts -P list ssh", "connect ?"],
    ["nix registry add a github:b/c", "write /h/.config/nix/registry.json"],
    ["nix registry pin a", "connect ?"],
    ["nix-env -i a", "write /nix tree"],
  ])("%s: %s", (text, expected) => expect(touches(text)).toContain(expected));

  test.each(["iperf3 -s -p 9000", "iperf --server", "iperf -u -s -p 9000", "mosquitto_sub -t b", "ab -e times.csv", "hydra -l a -P list a.test", "nix registry remove a", "sshfs a@b.test:c -p 2222", "hg push ../other", "hg clone mirrors/r copy"])("nowhere: %s", (text) => expect(touches(text).filter((line) => line.startsWith("connect"))).toEqual([]));
});
