#!/usr/bin/env python3
"""A second verifier of ledgers, in another language, written from docs/log-format.md alone. Python 3, nothing but its library.

Usage: verify.py LEDGER CHECKPOINT PUBLIC.pem      prints `ok RECORDS SIGNED`, `line N` (the first bad one) or `head`; exit 0 or 5
       verify.py --consistent OLD NEW PROOF PUBLIC.pem    prints `consistent` or `inconsistent`; exit 0 or 5
       verify.py --batch                           the same for each line {"ledger": base64, "checkpoint": text, "key": PEM} of standard input
"""
import base64
import hashlib
import json
import re
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    """The x of a point of edwards25519 with this y; None where there is none (RFC 8032, 5.1.3)."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * I % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if x & 1 != sign else x


def point(data):
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = recover_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, p):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, p)
        p = add(p, p)
        scalar >>= 1
    return result


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(public, message, signature):
    """Ed25519 (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(h, a)))


def number(value):
    """A number as ECMAScript writes it, which RFC 8785 takes over."""
    if isinstance(value, int):
        return str(value)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("no JSON number")
    if value == 0:
        return "0"
    mantissa, _, exponent = ("%r" % abs(value)).partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + ("" if part == "0" else part)).lstrip("0")
    at = len(whole) + int(exponent or 0) if whole != "0" else int(exponent or 0) - (len(part) - len(part.lstrip("0")))
    digits = digits.rstrip("0")
    sign, n = "-" if value < 0 else "", len(digits)
    if n <= at <= 21:
        return sign + digits + "0" * (at - n)
    if 0 < at <= 21:
        return sign + digits[:at] + "." + digits[at:]
    if -6 < at <= 0:
        return sign + "0." + "0" * -at + digits
    mark = ("+" if at > 0 else "-") + str(abs(at - 1))
    return sign + digits[0] + ("." + digits[1:] if n > 1 else "") + "e" + mark


SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def text(value):
    if re.search("[\ud800-\udfff]", value):
        raise ValueError("half a surrogate")
    return '"' + re.sub('["\\\\\x00-\x1f]', lambda m: SHORT.get(m[0]) or "\\u%04x" % ord(m[0]), value) + '"'


def canonical(value):
    """RFC 8785."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(one) for one in value) + "]"
    return "{" + ",".join(text(key) + ":" + canonical(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))) + "}"


def whole(digits):
    value = int(digits)
    return value if abs(value) <= 2**53 else float(digits)


def sha256(data):
    return hashlib.sha256(data).digest()


def root(leaves):
    """RFC 6962, 2.1."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256(b"")
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:]))


MEMBERS = {"call", "data", "hash", "prev", "seq", "session", "time", "type", "v"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def read_head(note, public):
    """Session, size and root of a signed head; None when it is not one."""
    body, gap, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if gap == "" or len(lines) < 3 or not re.fullmatch(r"ringfence/ses_[a-z0-9]{4,40}", lines[0]) or not re.fullmatch(r"0|[1-9][0-9]{0,14}", lines[1]):
        return None
    key_id = sha256(lines[0].encode() + b"\n\x01" + public)[:4]
    for line in signatures.split("\n"):
        if not line.startswith("\u2014 " + lines[0] + " "):
            continue
        try:
            blob = base64.b64decode(line.split(" ")[2], validate=True)
        except (ValueError, IndexError):
            return None
        if blob[:4] == key_id and is_signed(public, (body + "\n").encode(), blob[4:]):
            return lines[0][len("ringfence/"):], int(lines[1]), lines[2]
    return None


def record_hash(line, place, session, prev):
    """The hash of a line that is the record it must be; None when it is not."""
    try:
        record = json.loads(line.decode("utf-8"), parse_int=whole)
        if not isinstance(record, dict) or set(record) != MEMBERS or canonical(record).encode("utf-8") != line:
            return None
        given = record.pop("hash")
        computed = sha256(b"ringfence/ledger/v1/record\n" + canonical(record).encode("utf-8"))
    except (ValueError, RecursionError, TypeError, AttributeError):
        return None
    fits = record["seq"] == place and record["session"] == session and record["prev"] == prev and record["v"] == 1
    formed = isinstance(record["data"], dict) and isinstance(record["time"], str) and TIME.fullmatch(record["time"])
    return computed if fits and formed and given == "sha256:" + computed.hex() else None


def verify(ledger, note, public):
    head = read_head(note, public)
    if head is None:
        return "head"
    session, size, wanted = head
    prev = "sha256:" + sha256(b"ringfence/ledger/v1/genesis\n" + session.encode()).hex()
    leaves = []
    lines = ledger.split(b"\n")
    for place, line in enumerate(lines[:-1]):
        computed = record_hash(line, place, session, prev)
        if computed is None:
            return "line %d" % (place + 1)
        prev = "sha256:" + computed.hex()
        leaves.append(sha256(b"\x00" + computed))
    if lines[-1] != b"" or len(leaves) < size:
        return "line %d" % (len(leaves) + 1)
    if base64.b64encode(root(leaves[:size])).decode() != wanted:
        return "head"
    return "ok %d %d" % (len(leaves), size)


def consistent(old, new, proof, public):
    """RFC 6962, 2.1.2: do the records of `new` begin with those of `old`? Recomputed from the proof by the recursion that makes it."""
    first, second = read_head(old, public), read_head(new, public)
    if first is None or second is None or first[0] != second[0] or proof["v"] != 1 or proof["session"] != first[0]:
        return False
    m, n = first[1], second[1]
    hashes = [base64.b64decode(one, validate=True) for one in proof["hashes"]]
    wanted = base64.b64decode(first[2]), base64.b64decode(second[2])
    if (proof["from"], proof["to"]) != (m, n) or m > n or any(len(one) != 32 for one in hashes):
        return False
    if m == 0:
        return hashes == [] and wanted[0] == sha256(b"")

    def rebuild(m, n, whole):
        """Both roots of a subtree of n entries, of which the first m are old."""
        if m == n:
            known = wanted[0] if whole else hashes.pop(0)
            return known, known
        half = 1
        while half * 2 < n:
            half *= 2
        if m <= half:
            left, all_left = rebuild(m, half, whole)
            return left, sha256(b"\x01" + all_left + hashes.pop(0))
        right, all_right = rebuild(m - half, n - half, False)
        left = hashes.pop(0)
        return sha256(b"\x01" + left + right), sha256(b"\x01" + left + all_right)

    try:
        return rebuild(m, n, True) == wanted and hashes == []
    except IndexError:
        return False


def public_key(pem):
    """The 32 bytes at the end of an Ed25519 SubjectPublicKeyInfo."""
    return base64.b64decode("".join(line for line in pem.split("\n") if not line.startswith("-")))[-32:]


def main(words):
    if words == ["--batch"]:
        for line in sys.stdin:
            case = json.loads(line)
            print(verify(base64.b64decode(case["ledger"]), case["checkpoint"], public_key(case["key"])), flush=True)
        return 0
    if len(words) == 5 and words[0] == "--consistent":
        texts = []
        for name in words[1:]:
            with open(name, encoding="utf-8", newline="") as file:
                texts.append(file.read())
        held = consistent(texts[0], texts[1], json.loads(texts[2]), public_key(texts[3]))
        print("consistent" if held else "inconsistent")
        return 0 if held else 5
    if words == ["--consistent", "--batch"]:
        for line in sys.stdin:
            case = json.loads(line)
            print("consistent" if consistent(case["old"], case["new"], case["proof"], public_key(case["key"])) else "inconsistent", flush=True)
        return 0
    if len(words) != 3:
        sys.stderr.write(__doc__)
        return 2
    with open(words[0], "rb") as ledger, open(words[1], encoding="utf-8", newline="") as note, open(words[2], encoding="ascii") as key:
        verdict = verify(ledger.read(), note.read(), public_key(key.read()))
    print(verdict)
    return 0 if verdict.startswith("ok") else 5


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
