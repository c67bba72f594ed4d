"""Drives the control socket of a running board, from its JSON Schema alone.

Usage: control.py PROGRAM SOCKET. Prints `restart` when the board is to be started again, and goes on
after a line on standard input. Uses the standard library only.
"""

import json
import os
import socket
import subprocess
import sys

PROGRAM, SOCKET = sys.argv[1:]
SCHEMA = json.loads(subprocess.check_output([PROGRAM, "control", "--schema"]))
NOBODY = 65534
TYPES = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def problem(value, schema, root):
    """Why a value does not fit a schema; None if it does. Knows the keywords that occur here."""
    if schema is True:
        return None
    if "$ref" in schema:
        found = problem(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
        if found:
            return found
    if "const" in schema and value != schema["const"]:
        return f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {schema['enum']}"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    fits = [name for name in types if isinstance(value, TYPES[name])]
    if types and not fits:
        return f"{value!r} is no {types}"
    for name in schema.get("required", []):
        if name not in value:
            return f"{name} is missing in {value}"
    if isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            found = name in value and problem(value[name], part, root)
            if found:
                return f"{name}: {found}"
        if schema.get("additionalProperties") is False:
            unknown = set(value) - set(schema.get("properties", {}))
            if unknown:
                return f"unknown: {unknown}"
    if isinstance(value, list) and "items" in schema:
        for item in value:
            found = problem(item, schema["items"], root)
            if found:
                return found
    for kind in ("oneOf", "anyOf"):
        if kind in schema:
            found = [problem(value, choice, root) for choice in schema[kind]]
            if None not in found:
                return f"{value} fits none of {kind}: {found}"
    return None


def check(value, name):
    found = problem(value, SCHEMA[name], SCHEMA[name])
    assert found is None, f"{name}: {found}"
    return value


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(SOCKET)
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def ask(self, command, **fields):
        request = check({"v": 1, "command": command, **fields}, "request")
        self.socket.sendall((json.dumps(request) + "\n").encode())
        return self.line("line")

    def line(self, schema):
        line = self.lines.readline()
        assert line, "the board has closed the connection"
        return check(json.loads(line), schema)


def calls(client):
    reply = client.ask("status")
    assert reply["reply"] == "status", reply
    return {call["name"]: call for call in reply["calls"]}


def as_nobody(attempt):
    """The exit code of a child that makes an attempt as another user."""
    child = os.fork()
    if child == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os._exit(attempt())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def connect_and_ask():
    """0 if the folder keeps others out, 1 if the server does, 2 if nothing does."""
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(SOCKET)
    except PermissionError:
        return 0
    client.settimeout(30)
    try:
        client.sendall(b'{"v":1,"command":"status"}\n')
        return 2 if client.recv(1) else 1
    except (BrokenPipeError, ConnectionResetError):
        return 1


def main():
    client, watcher = Client(), Client()
    assert watcher.ask("watch")["reply"] == "watching"
    ringing = calls(client)
    assert sorted(ringing) == ["Grace Hopper", "Linus"], ringing

    # More than one call: nothing is done, and the reply names them.
    refused = client.ask("hangup", calls="ringing")
    assert (refused["reply"], refused["code"]) == ("error", "ambiguous"), refused
    assert len(refused["calls"]) == 2 and len(calls(client)) == 2

    declined = client.ask("hangup", calls={"call": ringing["Linus"]["call"]}, reason="busy")
    (result,) = declined["calls"]
    assert result["over"] and result["outcome"] == "declined", result
    assert (result["ended_by"], result["reason_sent"]) == ("you", "busy"), result
    assert list(calls(client)) == ["Grace Hopper"]
    over = client.ask("hangup", calls={"call": ringing["Linus"]["call"]})
    assert over["code"] == "already-over", over

    while True:
        record = watcher.line("record")
        if record["event"] == "call-ended" and record["name"] == "Linus":
            assert record["origin"] == "control", record
            break

    # The client survives the restart of the board: it connects again and goes on.
    print("restart", flush=True)
    assert client.lines.readline() == "", "the connection ends with the board"
    sys.stdin.readline()
    client = Client()
    assert client.ask("do", action="no-such-action")["code"] == "unknown-action"
    (call,) = calls(client).values()
    assert call["call"] == ringing["Grace Hopper"]["call"], "the key is the same"
    declined = client.ask("hangup", calls="only")
    assert declined["calls"][0]["outcome"] == "declined", declined

    folder = os.path.dirname(SOCKET)
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert os.stat(SOCKET).st_mode & 0o777 == 0o600
    if os.geteuid() != 0:
        print("skipped: only root can try another user", flush=True)
        return
    os.chmod(folder, 0o711)
    assert as_nobody(connect_and_ask) == 0, "the mode of the socket keeps others out"
    os.chmod(SOCKET, 0o666)
    assert as_nobody(connect_and_ask) == 1, "the server refuses other users"
    print("done", flush=True)


main()
