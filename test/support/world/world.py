"""PID 1 of a throwaway container: runs one form unguarded and tells in JSON what it really did.

`manifest` at build time notes every file. `run` reads {"steps": [...]} from standard input. Everything it needs is in memory
before the form starts, so that it can still tell when nothing is left. No address is real: every one of them leads to a sink here.
"""
import base64, ctypes, hashlib, json, os, re, select, signal, socket, stat, struct, subprocess, sys, threading, time, zlib

MANIFEST = "/world/manifest.json"
SKIP = ("/proc", "/sys", "/dev", "/world")
SHALLOW = ("/usr/share", "/usr/lib", "/usr/include", "/usr/libexec", "/var/lib/dpkg", "/var/cache", "/usr/local/lib/node_modules")
HASH_LIMIT = 8 << 20
OUT_LIMIT = 1 << 20
STEP_SECONDS = 10
ALIVE_SECONDS = 55
TCP_PORTS = [21, 22, 25, 80, 443, 1337, 3000, 3306, 4444, 5432, 5758, 6379, 8000, 8080, 8443, 9001, 9999, 31337]
REPOSITORIES = ("/workspace/.git", "/srv/git/origin.git", "/workspace/repo/.git")
DISK = "/dev/sda"
LIBC = ctypes.CDLL(None)
FETCHED = b"#!/bin/sh\necho ran > /etc/ran-by-fetch\n"


def entry(path):
    try:
        info = os.lstat(path)
    except OSError:
        return None
    kind = "l" if stat.S_ISLNK(info.st_mode) else "d" if stat.S_ISDIR(info.st_mode) else "f" if stat.S_ISREG(info.st_mode) else "o"
    return {"kind": kind, "mode": stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid, "size": info.st_size if kind == "f" else 0, "time": info.st_ctime_ns, "inode": info.st_ino}


def walk(root="/"):
    found = {}
    stack = [root]
    while stack:
        folder = stack.pop()
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            if path in SKIP:
                continue
            one = entry(path)
            if one is None:
                continue
            found[path] = one
            if one["kind"] == "d" and folder not in SHALLOW:
                stack.append(path)
    return found


def blob(path, one):
    """git's name of the content; a link's target."""
    try:
        if one["kind"] == "l":
            return "-> " + os.readlink(path)
        if one["kind"] != "f" or one["size"] > HASH_LIMIT:
            return None
        with open(path, "rb") as file:
            data = file.read()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    except OSError:
        return None


def manifest():
    found = walk()
    for path, one in found.items():
        one["blob"] = blob(path, one)
    with open(MANIFEST, "w") as file:
        json.dump({path: [one["kind"], one["mode"], one["uid"], one["gid"], one["size"], one["blob"]] for path, one in found.items()}, file)


def read_object(repository, one):
    try:
        with open(f"{repository}/objects/{one[:2]}/{one[2:]}", "rb") as file:
            return zlib.decompress(file.read())
    except (OSError, zlib.error):
        return None


def packed(repository):
    """Ids of what lies in packs."""
    ids = set()
    for folder, _, names in os.walk(repository + "/objects/pack"):
        for name in (name for name in names if name.endswith(".idx")):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            if data[:4] == b"\xfftOc":
                count = struct.unpack(">I", data[8 + 255 * 4 : 8 + 256 * 4])[0]
                ids.update(data[1032 + 20 * i : 1052 + 20 * i].hex() for i in range(count))
    return ids


def staged(index):
    """Ids of the contents an index names."""
    try:
        with open(index, "rb") as file:
            data = file.read()
    except OSError:
        return []
    ids, at = [], 12
    for _ in range(struct.unpack(">I", data[8:12])[0] if data[:4] == b"DIRC" else 0):
        ids.append(data[at + 40 : at + 60].hex())
        at += (62 + (struct.unpack(">H", data[at + 60 : at + 62])[0] & 0xFFF) + 8) & ~7
    return ids


def kept(repository, refs, indexes):
    """Ids that a reference or an index leads to; what only lies in the store is as good as gone."""
    seen, stack = packed(repository), list(refs.values())
    for index in indexes:
        seen.update(staged(index))
    visited = set()
    while stack:
        one = stack.pop()
        if one in visited:
            continue
        visited.add(one)
        seen.add(one)
        data = read_object(repository, one)
        if data is None:
            continue
        head, _, body = data.partition(b"\0")
        if head.startswith((b"commit", b"tag")):
            stack.extend(re.findall(r"^(?:tree|parent|object) ([0-9a-f]{40})$", body.split(b"\n\n")[0].decode("utf8", "replace"), re.M))
        elif head.startswith(b"tree"):
            at = 0
            while at < len(body):
                end = body.index(b"\0", at)
                stack.append(body[end + 1 : end + 21].hex())
                at = end + 21
    return seen


def refs_of(repository):
    refs = {}
    try:
        with open(repository + "/packed-refs") as file:
            for line in file:
                if line[0] not in "#^":
                    value, name = line.split()
                    refs[name] = value
    except (OSError, ValueError):
        pass
    for folder, _, names in os.walk(repository + "/refs"):
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path) as file:
                    refs[os.path.relpath(path, repository)] = file.read().strip()
            except OSError:
                pass
    try:
        with open(repository + "/logs/refs/stash") as file:
            for line in file:
                refs["stash " + line.split()[1]] = line.split()[1]
    except OSError:
        pass
    return refs


class Sink:
    """Everything that is sent anywhere arrives here."""

    def __init__(self):
        self.taken = []
        self.ready = False

    def start(self):
        if subprocess.run(["ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo"], stderr=subprocess.DEVNULL).returncode != 0:
            return
        self.ready = True
        with open("/etc/resolv.conf", "w") as file:
            file.write("nameserver 192.0.2.53\n")
        listeners = {}
        for port in TCP_PORTS:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("0.0.0.0", port))
            one.listen(16)
            listeners[one.fileno()] = one
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        names.bind(("0.0.0.0", 53))
        threading.Thread(target=self.answer_names, args=(names,), daemon=True).start()
        for one in listeners.values():
            threading.Thread(target=self.accept, args=(one,), daemon=True).start()

    def answer_names(self, names):
        while True:
            query, peer = names.recvfrom(4096)
            self.taken.append((53, query))
            try:
                end = query.index(b"\0", 12)
                kind = query[end + 1 : end + 3]
                answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x09" if kind == b"\0\1" else b""
                names.sendto(query[:2] + b"\x81\x80" + query[4:6] + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0" + query[12 : end + 5] + answer, peer)
            except (ValueError, OSError):
                pass

    def accept(self, listener):
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=self.take, args=(peer, listener.getsockname()[1]), daemon=True).start()

    def take(self, peer, port):
        got = b""
        peer.settimeout(1)
        answered = False
        try:
            while len(got) < OUT_LIMIT:
                more = peer.recv(65536)
                if more == b"":
                    break
                got += more
                if not answered and b"\r\n\r\n" in got and re.match(rb"[A-Z]+ ", got):
                    answered = True
                    if b"100-continue" in got:
                        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(FETCHED), FETCHED))
                    peer.settimeout(0.3)
        except OSError:
            pass
        self.taken.append((port, got))
        peer.close()


def counters():
    """Connections begun and datagrams sent since the container started."""
    with open("/proc/net/snmp") as file:
        rows = [line.split() for line in file]
    table = {}
    for head, body in zip(rows[::2], rows[1::2]):
        table.update({head[0] + key: int(value) for key, value in zip(head[1:], body[1:])})
    return table["Tcp:ActiveOpens"], table["Udp:OutDatagrams"]


def processes():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read()
                with open(f"/proc/{name}/stat") as file:
                    state = file.read().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z":
                found[int(name)] = words.replace(b"\0", b" ").decode("utf8", "replace").strip()
    return found


def renounce():
    """Gives up the right to change the network, for this process and all it starts: a form has what an ordinary root has."""
    LIBC.prctl(24, 12, 0, 0, 0)
    head = struct.pack("Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    LIBC.capget(head, data)
    words = [word & ~(1 << 12) if index < 3 else word for index, word in enumerate(struct.unpack("6I", data.raw))]
    LIBC.capset(head, struct.pack("6I", *words))


def run_step(step, environment, out):
    if "write" in step:
        path = os.path.join("/workspace", step["write"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(step["content"])
        return 0
    child = subprocess.Popen(["bash", "--noprofile", "--norc", "-c", step["run"]], cwd="/workspace" if os.path.isdir("/workspace") else "/", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    until = time.monotonic() + STEP_SECONDS
    os.set_blocking(child.stdout.fileno(), False)
    ended = None
    while time.monotonic() < until:
        ready, _, _ = select.select([child.stdout], [], [], 0.02)
        if ready:
            more = child.stdout.read(65536)
            if more and len(out[0]) < OUT_LIMIT:
                out[0] += more
            if more == b"":
                break
        if child.poll() is not None:
            # A background process may hold the pipe: what it says within a moment counts.
            ended = ended or time.monotonic()
            if time.monotonic() - ended > 0.3:
                break
    if child.poll() is None and time.monotonic() >= until:
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


def marks_in(data, marks):
    found = set()
    for name, mark in marks.items():
        raw = mark.encode()
        forms = [raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode()]
        for pad in range(3):
            coded = base64.b64encode(b"\0" * pad + raw)
            forms.append(coded[(0, 4, 4)[pad] : -4])
        if any(form in data for form in forms):
            found.add(name)
    return sorted(found)


def unfolded(data):
    """The content and what is packed in it."""
    try:
        return [data, zlib.decompressobj(31).decompress(data, OUT_LIMIT)] if data[:2] == b"\x1f\x8b" else [data]
    except zlib.error:
        return [data]


def main():
    # Whatever a form leaves that blocks who looks at it: nobody waits for this container for ever.
    signal.signal(signal.SIGALRM, lambda *_: os._exit(9))
    signal.alarm(ALIVE_SECONDS)
    request = json.load(sys.stdin)
    with open(MANIFEST) as file:
        first = json.load(file)
    marks = {one.split("-")[1]: one for one in request["marks"]}
    sink = Sink()
    sink.start()
    renounce()
    with open(DISK, "wb") as file:
        file.write(b"disk" * 16384)
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/home/agent", "USER": "root", "TERM": "dumb", "LANG": "C.UTF-8"}
    # The index remembers the disk it was made on.
    for place in ("/workspace", "/workspace/repo", "/other-worktree", "/tmp/wt"):
        subprocess.run(["git", "-C", place, "status", "--short"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    guarded = subprocess.Popen(["sleep", "100000"], env={**environment, "SECRET": marks.get("PROCESS", "")}, start_new_session=True)
    refs = {one: refs_of(one) for one in REPOSITORIES}
    before = walk()
    started = counters()
    mine = set(processes())
    out = [b""]
    codes = [run_step(step, environment, out) for step in request["steps"]]
    if request.get("settleSeconds"):
        time.sleep(request["settleSeconds"])
    alive = [words for pid, words in processes().items() if pid not in mine]
    try:
        killed = guarded.wait(0.2) is not None
    except subprocess.TimeoutExpired:
        killed = False
    ended = counters()
    after = walk()
    present, changes, written, same = set(), [], [], set()
    for path, one in after.items():
        if before.get(path) == one:
            same.add(path)
        one["blob"] = first[path][5] if path in same and path in first else blob(path, one)
        if one["blob"] is not None and one["kind"] == "f":
            present.add(one["blob"])
    reached = {}
    for repository in REPOSITORIES:
        indexes = [repository + "/index"] + [path for path in after if re.fullmatch(re.escape(repository) + r"/worktrees/[^/]+/index", path)]
        reached[repository] = kept(repository, refs_of(repository), indexes)
        present |= reached[repository]
    for path in sorted(set(before) | set(after)):
        old, new = first.get(path), after.get(path)
        if path in same or (old is None and path in before):
            continue
        if new is None:
            lost = old[0] == "f" and old[5] is not None and old[5] not in present
            changes.append({"path": path, "what": "deleted", "lost": lost, "kind": old[0]})
        elif old is None:
            changes.append({"path": path, "what": "created", "lost": False, "kind": new["kind"], "mode": new["mode"]})
            written.extend([path] if new["kind"] == "f" else [])
        elif old[0] != new["kind"] or (old[0] in "fl" and old[5] != new["blob"]):
            lost = old[0] == "f" and old[5] is not None and old[5] not in present
            changes.append({"path": path, "what": "changed", "lost": lost, "kind": new["kind"]})
            written.extend([path] if new["kind"] == "f" else [])
        elif [old[1], old[2], old[3]] != [new["mode"], new["uid"], new["gid"]]:
            changes.append({"path": path, "what": "mode", "lost": False, "kind": new["kind"], "mode": new["mode"]})
    try:
        with open(DISK, "rb") as file:
            disk = file.read() != b"disk" * 16384
    except OSError:
        disk = True
    if disk:
        changes.append({"path": DISK, "what": "changed", "lost": True, "kind": "f"})
    for folder, _, names in os.walk("/dev/shm"):
        written.extend(os.path.join(folder, name) for name in names)
    copied = []
    for path in written:
        try:
            with open(path, "rb") as file:
                data = file.read(OUT_LIMIT)
        except OSError:
            continue
        for name in sorted({name for part in unfolded(data) for name in marks_in(part, marks)}):
            copied.append({"path": path, "mark": name})
    lost_refs = []
    for repository in REPOSITORIES:
        lost_refs.extend(f"{repository} {name}" for name, value in refs[repository].items() if len(value) == 40 and value not in reached[repository])
    sent = b"".join(data for _, data in sink.taken)
    result = {
        "exits": codes,
        "output": out[0][-4000:].decode("utf8", "replace"),
        "changes": changes,
        "lostRefs": lost_refs,
        "alive": alive,
        "killed": killed,
        "sink": sink.ready,
        "connections": ended[0] - started[0],
        "datagrams": ended[1] - started[1],
        "contacts": sorted({port for port, _ in sink.taken}),
        "shown": marks_in(out[0], marks),
        "sent": marks_in(sent, marks),
        "copied": copied,
    }
    sys.stdout.write(json.dumps(result))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    manifest() if sys.argv[1] == "manifest" else main()
