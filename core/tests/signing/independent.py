"""A second reading of both signatures, with Python's standard library alone.

Each line of the standard input is a message as JSON; each line of the output is its signature. It was
written from the recipes, and shares nothing with the code under test.
"""

import base64
import hashlib
import hmac
import json
import sys


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def jws(message):
    """HEADER..SIGNATURE over the header's text and the body's bytes."""
    values = {
        "uri": message["path"],
        "path": message["path"],
        "auth_id": message["party"],
        "merchant_id": message["party"],
        "method": message["method"],
        "params": "",
        "alg": message["alg"],
        "typ": "JWT",
    }
    header = {}
    for name in message["form"]:
        value = values[name]
        header[name] = int(value) if name == "merchant_id" else value
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    body = bytes.fromhex(message["body"])
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[message["alg"]]
    signed = url64(text) + b"." + url64(body)
    signature = hmac.new(message["key"].encode(), signed, digest).digest()
    return (url64(text) + b".." + url64(signature)).decode()


def leaves(fields, parent=""):
    """Each value with its full name: the parent's, its own, and its place with three digits."""
    for place, (name, value) in enumerate(fields, 1):
        full = "%s%s%03d" % (parent, name, place)
        if isinstance(value, str):
            yield full, value
        else:
            yield from leaves(value, full)


def pg_sig(message):
    found = sorted(leaves(message["fields"]), key=lambda leaf: leaf[0].encode())
    parts = [message["script"]] + [value for _, value in found] + [message["key"]]
    return hashlib.md5(";".join(parts).encode()).hexdigest()


for line in sys.stdin:
    one = json.loads(line)
    print(jws(one) if "form" in one else pg_sig(one))
