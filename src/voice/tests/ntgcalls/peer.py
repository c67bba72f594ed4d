"""One side of a call by ntgcalls, driven by lines of JSON.

Each line on standard input has a field "do" that names a function of `Peer`. Each line on standard
output has a field "event". Bytes are in hexadecimal. The end of standard input ends the call.
"""

import asyncio
import json
import math
import struct
import sys
import threading
import time

from ntgcalls import (
    AudioDescription,
    DhConfig,
    MediaDescription,
    MediaSource,
    NTgCalls,
    RTCServer,
    StreamDevice,
    StreamMode,
)

CALL = 1
RATE = 48_000
BLOCK = RATE // 100
AMPLITUDE = 12_000
WRITING = threading.Lock()


def emit(event, **fields):
    line = json.dumps({"event": event, **fields}) + "\n"
    with WRITING:
        sys.stdout.write(line)
        sys.stdout.flush()


class Peer:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.calls = NTgCalls()
        # In order and one at a time, as Telegram delivers it.
        self.to_deliver = asyncio.Queue()
        # The binding has no constructor for it: the first frame that is heard provides one.
        self.frame_data = self.loop.create_future()
        self.calls.on_signaling_data(lambda _, data: emit("signaling", data=bytes(data).hex()))
        self.calls.on_connection_change(lambda _, info: emit("connection", state=info.state.name))
        self.calls.on_remote_source_change(lambda _, source: emit("source", state=source.state.name))
        self.calls.on_frames(self.heard)

    def heard(self, _call, mode, _device, frames):
        if mode != StreamMode.PLAYBACK or not frames:
            return
        emit("heard", samples=bytes(frames[0].data).hex())
        if not self.frame_data.done():
            self.loop.call_soon_threadsafe(self.first_frame, frames[0].frame_data)

    def first_frame(self, frame_data):
        if not self.frame_data.done():
            self.frame_data.set_result(frame_data)

    async def prepare(self, generator, prime, commitment):
        """Begins the exchange of keys. As caller `commitment` is None."""
        external = AudioDescription(MediaSource.EXTERNAL, RATE, 1, "", True)
        await self.calls.create_p2p_call(CALL)
        # What is played is named after the microphone that it comes from.
        microphone = MediaDescription(external, None, None, None)
        await self.calls.set_stream_sources(CALL, StreamMode.CAPTURE, microphone)
        await self.calls.set_stream_sources(CALL, StreamMode.PLAYBACK, microphone)
        config = DhConfig(generator, bytes.fromhex(prime), bytes(256))
        commitment = commitment and bytes.fromhex(commitment)
        value = await self.calls.init_exchange(CALL, config, commitment)
        emit("prepared", value=bytes(value).hex())

    async def agree(self, value, fingerprint):
        """Ends the exchange of keys. As caller `fingerprint` is 0."""
        params = await self.calls.exchange_keys(CALL, bytes.fromhex(value), fingerprint)
        emit("agreed", value=bytes(params.g_a_or_b).hex(), fingerprint=params.key_fingerprint)

    async def connect(self, servers, version, p2p, custom):
        servers = [
            RTCServer(
                server["id"], server["ip"], "", server["port"],
                server.get("username"), server.get("password"),
                "username" in server, False, False,
                bytes.fromhex(server["peer_tag"]) if "peer_tag" in server else None,
            )
            for server in servers
        ]
        await self.calls.connect_p2p(CALL, servers, [version], p2p, custom)

    async def signaling(self, data):
        self.to_deliver.put_nowait(bytes.fromhex(data))

    async def deliver(self):
        while True:
            await self.calls.send_signaling_data(CALL, await self.to_deliver.get())

    async def mute(self, muted):
        await (self.calls.mute(CALL) if muted else self.calls.unmute(CALL))

    async def speak(self, hertz, sounding, period):
        """Speaks a tone for the first blocks of each period, and reports each beginning."""
        sine = (round(AMPLITUDE * math.sin(math.tau * hertz * at / RATE)) for at in range(BLOCK))
        tone = struct.pack(f"<{BLOCK}h", *sine)
        silence = bytes(2 * BLOCK)
        frame_data = await self.frame_data
        start = time.monotonic()
        block = 0
        while True:
            await asyncio.sleep(start + block / 100 - time.monotonic())
            place = block % period
            if place == 0:
                emit("spoken")
            samples = tone if place < sounding else silence
            await self.calls.send_external_frame(
                CALL, StreamDevice.MICROPHONE, samples, frame_data
            )
            block += 1


async def main():
    peer = Peer()
    lines = asyncio.StreamReader(limit=1 << 20)
    await peer.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    # The event loop itself keeps no task alive.
    tasks = [in_background(peer.deliver())]
    while line := await lines.readline():
        command = json.loads(line)
        name = command.pop("do")
        if name == "speak":
            tasks.append(in_background(peer.speak(**command)))
        elif name == "connect":
            # Signaling that comes while it connects must not wait for that.
            tasks.append(in_background(peer.connect(**command)))
        else:
            await getattr(peer, name)(**command)
    for task in tasks:
        task.cancel()
    await peer.calls.stop(CALL)


def in_background(coroutine):
    task = asyncio.ensure_future(coroutine)
    task.add_done_callback(report)
    return task


def report(task):
    if not task.cancelled() and task.exception() is not None:
        emit("failed", reason=repr(task.exception()))


asyncio.run(main())
