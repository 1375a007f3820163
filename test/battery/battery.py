#!/usr/bin/env python3
"""What a hostile agent tries from inside a sandbox: one JSON line a probe, with family, name, outcome and detail.

Outcomes: `held` (refused), `open` (got through), `unknown` (cannot be told here). Runs with the standard library of
Python 3.8 or newer under any sandbox, changes nothing outside its own processes and scratch files, and takes back what
it makes. Usage: battery.py [--workspace DIR]. Families are those of the published attack battery.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
# Numbers of the two architectures it knows: x86_64, then aarch64.
NUMBERS = {
    "unshare": (272, 97), "setns": (308, 268), "clone": (56, 220), "clone3": (435, 435), "mount": (165, 40),
    "umount2": (166, 39), "pivot_root": (155, 41), "fsopen": (430, 430), "open_tree": (428, 428), "move_mount": (429, 429),
    "mount_setattr": (442, 442), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "open_by_handle_at": (304, 265), "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273),
    "request_key": (249, 218), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "acct": (163, 89),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "personality": (135, 92),
    "settimeofday": (164, 170), "sethostname": (170, 161), "syslog": (103, 116), "chroot": (161, 51), "fanotify_init": (300, 262), "lookup_dcookie": (212, 18),
    "move_pages": (279, 239), "mknodat": (259, 33), "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
    "vmsplice": (278, 75), "ioctl": (16, 29), "pidfd_open": (434, 434),
}
ARCH = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EROFS}
NO_FAMILY = REFUSED | {errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.ENETUNREACH}
PROBES = []
WORKSPACE = os.getcwd()


def probe(family, name):
    def keep(body):
        PROBES.append((family, name, body))
        return body
    return keep


def call(name, *args):
    """A raw system call: its result, or minus the error number."""
    number = NUMBERS[name][ARCH]
    if number is None:
        return None
    LIBC.syscall.restype = ctypes.c_long
    ctypes.set_errno(0)
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    got = LIBC.syscall(ctypes.c_long(number), *plain)
    return -ctypes.get_errno() if got == -1 else got


def judge(got, refused=REFUSED):
    if got is None:
        return "unknown", "not on this architecture"
    if got < 0 and -got in refused:
        return "held", errno.errorcode.get(-got, str(-got))
    return "open", "succeeded" if got >= 0 else "got past the check: " + errno.errorcode.get(-got, str(-got))


def refused(name, *args):
    return judge(call(name, *args))


def opened(path, flags):
    """Tries to open a file; `open` when it could be, and reads one byte when it is for reading."""
    try:
        fd = os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        return "held", errno.errorcode.get(error.errno, str(error.errno))
    try:
        if flags & os.O_ACCMODE == os.O_RDONLY:
            got = os.read(fd, 1)
            return ("open", "could be read") if got else ("held", "empty")
        return "open", "could be opened for writing"
    except OSError as error:
        return "held", errno.errorcode.get(error.errno, str(error.errno))
    finally:
        os.close(fd)


def worst(results):
    results = list(results)
    through = [f"{what}: {detail}" for what, (outcome, detail) in results if outcome == "open"]
    if through:
        return "open", "; ".join(through[:4])
    if not results:
        return "unknown", "nothing to try"
    return "held", ", ".join(sorted({detail for _what, (_outcome, detail) in results}))


def status(field):
    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return line.split(":", 1)[1].strip()
    return None


# --- rights of the process itself -------------------------------------------------------------------------------------

@probe("K2", "all five capability sets are empty")
def _():
    sets = {name: status(name) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    full = [name for name, value in sets.items() if value is not None and int(value, 16) != 0]
    return ("open", " ".join(f"{name} {sets[name]}" for name in full)) if full else ("held", "all zero")


@probe("K2", "no new privileges")
def _():
    return ("held", "NoNewPrivs 1") if status("NoNewPrivs") == "1" else ("open", "a set-uid program may raise rights")


@probe("K2", "a system call filter is in force")
def _():
    return ("held", "Seccomp 2") if status("Seccomp") == "2" else ("open", f"Seccomp {status('Seccomp')}")


@probe("K2", "the root file system cannot be written")
def _():
    return worst((folder, opened(f"{folder}/.battery-{os.getpid()}", os.O_WRONLY | os.O_CREAT)) for folder in ("/", "/etc", "/usr/bin", "/opt", "/var/lib") if os.path.isdir(folder))


@probe("K2", "another user cannot be taken")
def _():
    def become(uid):
        try:
            os.setresuid(uid, uid, uid)
            return "open", f"became {uid}"
        except OSError as error:
            return "held", errno.errorcode[error.errno]
    return worst((str(uid), become(uid)) for uid in (64000, 2, 0 if os.getuid() != 0 else 3))


# --- system calls -----------------------------------------------------------------------------------------------------

NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "pid": 0x20000000, "uts": 0x04000000, "ipc": 0x08000000, "cgroup": 0x02000000, "time": 0x80}
for label, flag in NAMESPACES.items():
    PROBES.append(("K4", f"unshare: new {label} namespace", lambda flag=flag: refused("unshare", flag)))


def cloned(flags):
    got = call("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if got == 0:
        os._exit(0)
    if got is not None and got > 0:
        os.waitpid(got, 0)
    return judge(got)


for label, flag in (("user", 0x10000000), ("mount", 0x20000), ("network", 0x40000000), ("user and mount", 0x10020000)):
    PROBES.append(("K4", f"clone: new {label} namespace", lambda flag=flag: cloned(flag)))


@probe("K4", "clone: a child no tracer sees (CLONE_UNTRACED)")
def _():
    return cloned(0x00800000)


@probe("K4", "clone3: new user namespace")
def _():
    # flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
    args = ctypes.create_string_buffer(struct.pack("<8Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0))
    got = call("clone3", ctypes.byref(args), 64)
    if got == 0:
        os._exit(0)
    return judge(got)


@probe("K4", "setns: enter the namespaces of process 1")
def _():
    try:
        fd = os.open("/proc/self/ns/net", os.O_RDONLY)
    except OSError as error:
        return "held", errno.errorcode[error.errno]
    return refused("setns", fd, 0)


def text(value):
    return ctypes.c_char_p(value)


SIMPLE = {
    "mount: a tmpfs": ("mount", text(b"none"), text(b"/tmp"), text(b"tmpfs"), 0, None),
    "mount: make the root writable": ("mount", None, text(b"/"), None, 0x20 | 0x1000, None),
    "umount2": ("umount2", text(b"/usr/bin"), 2),
    "pivot_root": ("pivot_root", text(b"/nonexistent-battery"), text(b"/nonexistent-battery")),
    "fsopen: the new mount interface": ("fsopen", text(b"tmpfs"), 0),
    "open_tree: clone a mount": ("open_tree", -100, text(b"/"), 1),
    "move_mount": ("move_mount", -1, text(b""), -1, text(b""), 0),
    "mount_setattr": ("mount_setattr", -100, text(b"/nonexistent-battery"), 0, None, 32),
    "ptrace: trace me": ("ptrace", 0, 0, 0, 0),
    "kcmp": ("kcmp", os.getpid(), os.getpid(), 0, 0, 0),
    "userfaultfd": ("userfaultfd", 1),
    "keyctl: the session keyring": ("keyctl", 0, -3, 0),
    "add_key": ("add_key", text(b"user"), text(b"battery"), text(b"x"), 1, -3),
    "request_key": ("request_key", text(b"user"), text(b"battery-absent"), None, 0),
    "io_uring_setup": ("io_uring_setup", 1, None),
    "io_uring_enter": ("io_uring_enter", -1, 0, 0, 0, None, 0),
    "io_uring_register": ("io_uring_register", -1, 0, None, 0),
    "kexec_load": ("kexec_load", 0, 0, None, 0x80000000 - 1),
    "init_module": ("init_module", None, 0, text(b"")),
    "finit_module": ("finit_module", -1, text(b""), 0),
    "delete_module": ("delete_module", text(b"battery-absent"), 0x800),
    "reboot": ("reboot", 0, 0, 0, None),
    "swapon": ("swapon", text(b"/nonexistent-battery"), 0),
    "acct": ("acct", text(b"/nonexistent-battery")),
    "personality: no address randomisation": ("personality", 0x0040000),
    "syslog: the kernel's log": ("syslog", 10, None, 0),
    "chroot": ("chroot", text(b"/")),
    "fanotify_init": ("fanotify_init", 0, 0),
    "modify_ldt": ("modify_ldt", 0, None, 0),
    "iopl: ports of the machine": ("iopl", 3),
    "vmsplice": ("vmsplice", -1, None, 0, 0),
    "move_pages": ("move_pages", os.getppid(), 0, None, None, None, 0),
}
for label, order in SIMPLE.items():
    PROBES.append(("K4", label, lambda order=order: refused(*order)))


@probe("K4", "mknod: a block device")
def _():
    path = f"/tmp/.battery-{os.getpid()}"
    try:
        return refused("mknodat", -100, text(path.encode()), 0o060600, 254 << 8)
    finally:
        if os.path.lexists(path):
            os.unlink(path)


@probe("K4", "bpf: make a map")
def _():
    # Type array, key 4, value 4, one entry.
    attributes = ctypes.create_string_buffer(struct.pack("<4I", 2, 4, 4, 1) + bytes(112))
    return refused("bpf", 0, ctypes.byref(attributes), 72)


@probe("K4", "perf_event_open: count one's own cycles")
def _():
    # A software clock of this process, without the kernel's part.
    attributes = ctypes.create_string_buffer(struct.pack("<2IQ", 1, 112, 0) + bytes(24) + struct.pack("<Q", 1 << 5 | 1 << 6) + bytes(64))
    return refused("perf_event_open", ctypes.byref(attributes), 0, -1, -1, 0)


@probe("K4", "open_by_handle_at: files by number")
def _():
    root = os.open("/", os.O_RDONLY)
    handle = ctypes.create_string_buffer(struct.pack("<Ii", 8, 1) + struct.pack("<II", 2, 0))
    return refused("open_by_handle_at", root, ctypes.byref(handle), os.O_RDONLY)


SHARED = ctypes.create_string_buffer(b"battery!")


def memory_of_parent(name):
    """The parent has the same buffer at the same place."""
    vector = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(SHARED), 8))
    return refused(name, os.getppid(), ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0)


for label in ("process_vm_readv", "process_vm_writev"):
    PROBES.append(("K4", f"{label}: memory of the parent", lambda label=label: memory_of_parent(label)))


@probe("K4", "pidfd_getfd: files of the parent")
def _():
    handle = call("pidfd_open", os.getppid(), 0)
    return refused("pidfd_getfd", handle if handle >= 0 else -1, 1, 0)


@probe("K4", "settimeofday, clock_settime: the machine's clock")
def _():
    now = time.time()
    timeval = ctypes.create_string_buffer(struct.pack("<qq", int(now), int((now % 1) * 1e6)))
    return worst((name, refused(*order)) for name, order in (("settimeofday", ("settimeofday", ctypes.byref(timeval), None)), ("clock_settime", ("clock_settime", 0, ctypes.byref(timeval)))))


# --- socket families --------------------------------------------------------------------------------------------------

FAMILIES = {
    "AF_ALG": (38, socket.SOCK_SEQPACKET, 0), "AF_PACKET": (17, socket.SOCK_RAW, 0), "AF_VSOCK": (40, socket.SOCK_STREAM, 0),
    "AF_NETLINK route": (16, socket.SOCK_RAW, 0), "AF_NETLINK netfilter": (16, socket.SOCK_RAW, 12), "AF_NETLINK audit": (16, socket.SOCK_RAW, 9),
    "AF_BLUETOOTH": (31, socket.SOCK_RAW, 1), "AF_CAN": (29, socket.SOCK_RAW, 1), "AF_TIPC": (30, socket.SOCK_RDM, 0), "AF_RDS": (21, socket.SOCK_SEQPACKET, 0),
    "AF_KEY": (15, socket.SOCK_RAW, 2), "AF_XDP": (44, socket.SOCK_RAW, 0), "AF_KCM": (41, socket.SOCK_DGRAM, 0), "AF_SMC": (43, socket.SOCK_STREAM, 0),
    "AF_QIPCRTR": (42, socket.SOCK_DGRAM, 0), "AF_APPLETALK": (5, socket.SOCK_DGRAM, 0), "AF_AX25": (3, socket.SOCK_DGRAM, 0), "AF_X25": (9, socket.SOCK_SEQPACKET, 0),
    "raw AF_INET": (2, socket.SOCK_RAW, 255), "SCTP": (2, socket.SOCK_STREAM, 132),
}


def family(order):
    try:
        socket.socket(*order).close()
        return "open", "socket made"
    except OSError as error:
        return judge(-error.errno, NO_FAMILY)


for label, order in FAMILIES.items():
    PROBES.append(("K5", f"socket: {label}", lambda order=order: family(order)))


# --- foreign ABIs -----------------------------------------------------------------------------------------------------

def machine_code(code):
    """Runs a few bytes of machine code that return a number."""
    import mmap
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_long)(address)()


@probe("K6", "32-bit system calls (int 0x80)")
def _():
    if platform.machine() != "x86_64":
        return "unknown", "only on x86_64"
    # getpid of the 32-bit table: push rbx; mov eax, 20; int 0x80; pop rbx; cdqe; ret
    got = machine_code(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\x48\x98\xc3")
    return ("open", "answered") if got == os.getpid() else judge(got)


@probe("K6", "x32 system calls")
def _():
    if platform.machine() != "x86_64":
        return "unknown", "only on x86_64"
    got = LIBC.syscall(ctypes.c_long(0x40000000 + 39))
    return ("open", "answered") if got > 0 else judge(-ctypes.get_errno())


def typed(request):
    """Types a character into a terminal of our own, as if at its keyboard."""
    try:
        _master, slave = os.openpty()
    except OSError as error:
        return "held", f"no terminal can be had: {errno.errorcode.get(error.errno, error.errno)}"
    os.setsid()
    # TIOCSCTTY
    call("ioctl", slave, 0x540E, 0)
    # EIO: the kernel has the request switched off.
    return judge(call("ioctl", slave, request, ctypes.byref(ctypes.create_string_buffer(b"x"))), REFUSED | {errno.EIO})


@probe("K9", "TIOCSTI: typing into a terminal")
def _():
    return typed(0x5412)


@probe("K9", "TIOCSTI with bits the kernel drops")
def _():
    return typed(0x100005412)


# --- kernel settings and control groups -------------------------------------------------------------------------------

@probe("K3", "control groups: release_agent, limits, membership")
def _():
    found = []
    for base, _folders, files in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(base, name) for name in files if name in ("release_agent", "notify_on_release", "cgroup.procs", "tasks", "pids.max", "memory.limit_in_bytes", "memory.max", "cgroup.kill", "devices.allow")]
        if len(found) > 400:
            break
    return worst((path, opened(path, os.O_WRONLY)) for path in found) if found else ("held", "no control group to be seen")


@probe("K3", "kernel settings: core_pattern, modprobe, uevent_helper, sysrq")
def _():
    paths = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory", "/proc/sys/fs/binfmt_misc/register", "/sys/kernel/uevent_helper", "/proc/sysrq-trigger"]
    return worst((path, opened(path, os.O_WRONLY)) for path in paths if os.path.exists(path))


@probe("F12", "the kernel's memory, keys, timers and symbols")
def _():
    paths = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/dev/mem", "/dev/kmsg", "/proc/kmsg", "/sys/firmware/acpi/tables/DSDT", "/sys/kernel/debug/tracing/trace"]
    return worst((path, opened(path, os.O_RDONLY)) for path in paths)


@probe("F12", "process 1: environment, memory, root, files")
def _():
    tries = [(name, opened(f"/proc/1/{name}", os.O_RDONLY)) for name in ("environ", "mem", "maps", "root/etc/passwd", "stack")]
    return worst(tries)


@probe("F11", "devices: disks and loops")
def _():
    found = [os.path.join("/dev", name) for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme", "xvd", "loop", "dm-", "md", "kvm", "fuse", "vhost", "net"))]
    return worst((path, opened(path, os.O_RDWR)) for path in found if not os.path.isdir(path)) if found else ("held", "none to be seen")


@probe("F15", "secrets outside the workspace")
def _():
    homes = {os.path.expanduser("~"), "/root"} | {os.path.join("/home", name) for name in (os.listdir("/home") if os.path.isdir("/home") else [])}
    names = (".ssh", ".aws/credentials", ".config/gcloud", ".netrc", ".npmrc", ".docker/config.json", ".kube/config", ".gnupg", ".git-credentials", ".bash_history")
    found = [os.path.join(home, name) for home in sorted(homes) for name in names if os.path.exists(os.path.join(home, name))]
    readable = [path for path in found + ["/etc/shadow"] if os.access(path, os.R_OK)]
    planted = os.environ.get("BATTERY_SECRET")
    if planted and os.access(planted, os.R_OK):
        readable.append(planted)
    # The shadow file of an image holds no password of the host's users; only a real hash counts.
    readable = [path for path in readable if path != "/etc/shadow" or "$" in open(path, encoding="latin-1").read()]
    return ("open", ", ".join(readable[:4])) if readable else ("held", "none readable")


@probe("F14", "a set-uid program of the workspace gives no rights")
def _():
    path = os.path.join(WORKSPACE, f".battery-suid-{os.getpid()}")
    try:
        with open(path, "wb") as file:
            file.write(b"x")
        os.chmod(path, 0o6755)
        flags = os.statvfs(path).f_flag
        return ("held", "nosuid") if flags & os.ST_NOSUID or status("NoNewPrivs") == "1" else ("open", "set-uid files work")
    except OSError as error:
        return "held", errno.errorcode[error.errno]
    finally:
        if os.path.exists(path):
            os.unlink(path)


# --- network ----------------------------------------------------------------------------------------------------------

@probe("N4", "direct connections by address")
def _():
    def reach(address, port):
        try:
            with socket.create_connection((address, port), timeout=2):
                return "open", "connected"
        except socket.timeout:
            return "open", "sent packets, no answer"
        except OSError as error:
            if error.errno == errno.ECONNREFUSED and not address.startswith("127."):
                return "open", "reached, refused there"
            return "held", errno.errorcode.get(error.errno or 0, str(error))
    return worst((f"{a}:{p}", reach(a, p)) for a, p in (("1.1.1.1", 53), ("169.254.169.254", 80), ("172.17.0.1", 22), ("127.0.0.1", 2375)))


@probe("N7", "datagrams leave")
def _():
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", ("192.0.2.1", 9))
        return "open", "sent"
    except OSError as error:
        return judge(-(error.errno or 0), NO_FAMILY | {errno.EHOSTUNREACH})


@probe("N11", "sockets of engines, agents and desktops")
def _():
    paths = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket", "/run/podman/podman.sock", os.environ.get("SSH_AUTH_SOCK", ""), "/tmp/.X11-unix/X0"]

    def reach(path):
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(path)
            return "open", "connected"
        except OSError as error:
            return "held", errno.errorcode.get(error.errno or 0, str(error))
    return worst((path, reach(path)) for path in paths if path)


@probe("N11", "abstract sockets of the host")
def _():
    try:
        with open("/proc/net/unix", encoding="latin-1") as lines:
            names = [line.split("@", 1)[1].strip() for line in lines if "@" in line]
    except OSError as error:
        return "held", errno.errorcode[error.errno]
    return ("open", f"{len(names)} to be seen: {names[0]}") if names else ("held", "none to be seen")


# --- limits -----------------------------------------------------------------------------------------------------------

def limit_file(*paths):
    for path in paths:
        try:
            with open(path, encoding="ascii") as file:
                value = file.read().strip()
            return int(value) if value.isdigit() and int(value) < 1 << 60 else None
        except OSError:
            continue
    return None


@probe("R1", "processes are limited")
def _():
    limit = limit_file("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max")
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if limit is not None:
        return "held", f"at most {limit} in the control group"
    if os.getuid() != 0 and 0 < soft <= 4096:
        return "held", f"at most {soft} of this user"
    return "open", "no limit small enough to spare the host"


@probe("R1", "memory is limited")
def _():
    limit = limit_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")
    return ("held", f"at most {limit >> 20} MiB") if limit is not None else ("open", "no limit in the control group")


@probe("R1", "core files and locked memory are limited")
def _():
    core, lock = resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_MEMLOCK)
    bad = [name for name, value, most in (("core", core[1], 0), ("memlock", lock[1], 64 << 20)) if value < 0 or value > most]
    return ("open", f"hard limit too high: {', '.join(bad)}") if bad else ("held", f"core {core[1]}, memlock {lock[1]}")


@probe("R1", "descriptors are limited")
def _():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return ("held", f"at most {hard} a process") if 0 < hard <= 1 << 17 else ("open", f"hard limit {hard}")


def writable_places():
    """Folders this process may write in, one for each mounted file system."""
    seen, places = set(), []
    for folder in [WORKSPACE, "/tmp", "/var/tmp", "/run", "/dev/shm", os.path.expanduser("~"), "/dev", "/var/run", "/var/lock", "/"]:
        try:
            device = os.stat(folder).st_dev
            name = os.path.join(folder, f".battery-{os.getpid()}")
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError:
            continue
        os.close(fd)
        os.unlink(name)
        if device not in seen:
            seen.add(device)
            places.append(folder)
    return places


@probe("R1", "bytes of every writable place are limited")
def _():
    most = 5 << 30

    def size(folder):
        info = os.statvfs(folder)
        free = info.f_bavail * info.f_frsize
        file_limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        note = "" if file_limit < 0 else f", one file at most {file_limit >> 20} MiB"
        return ("held", f"{folder} {free >> 20} MiB") if free <= most else ("open", f"{free >> 30} GiB free{note}")
    return worst((folder, size(folder)) for folder in writable_places())


@probe("R1", "inodes of every writable place are limited")
def _():
    def count(folder):
        info = os.statvfs(folder)
        limited = 0 < info.f_ffree <= 1_000_000
        return ("held", f"{folder} {info.f_ffree}") if limited else ("open", f"{info.f_ffree or 'unlimited'} free")
    return worst((folder, count(folder)) for folder in writable_places())


def run(body):
    """Runs a probe in a process of its own, because a refused call may kill it."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        signal.alarm(20)
        try:
            result = body()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the line must come
            result = ("unknown", f"{type(error).__name__}: {error}"[:200])
        os.write(theirs, json.dumps(result).encode())
        os._exit(0)
    os.close(theirs)
    text_out = b""
    while True:
        part = os.read(ours, 65536)
        if not part:
            break
        text_out += part
    os.close(ours)
    _pid, code = os.waitpid(pid, 0)
    if text_out:
        return json.loads(text_out.split(b"][")[0].rstrip(b"]") + b"]")
    if os.WIFSIGNALED(code):
        number = os.WTERMSIG(code)
        if number == signal.SIGSYS:
            return "held", "killed by SIGSYS"
        return "unknown", f"ended by signal {number}"
    return "unknown", f"exit {code}"


def main():
    global WORKSPACE
    if "--workspace" in sys.argv:
        WORKSPACE = sys.argv[sys.argv.index("--workspace") + 1]
    if ARCH is None:
        sys.exit("battery: unknown architecture " + platform.machine())
    with open(os.devnull, encoding="ascii") as null:
        os.dup2(null.fileno(), 0)
    for family_name, name, body in PROBES:
        outcome, detail = run(body)
        print(json.dumps({"family": family_name, "name": name, "outcome": outcome, "detail": detail}), flush=True)


main()
