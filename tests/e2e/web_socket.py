"""A WebSocket client of the standard library alone, for the tests of exec and attach."""
import base64
import os
import socket
import ssl
import struct
import urllib.parse

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(AssertionError):
    """The handshake was answered with another status than 101."""

    def __init__(self, status, head):
        super().__init__(f"the handshake was answered {status}: {head[:400]}")
        self.status = status


class WebSocket:
    def __init__(self, uri, ca=None, headers=(), timeout_s=20):
        url = urllib.parse.urlsplit(uri)
        self.socket = socket.create_connection((url.hostname, url.port), timeout_s)
        if url.scheme == "wss":
            self.socket = ssl.create_default_context(cafile=ca).wrap_socket(self.socket, server_hostname=url.hostname)
        self.left = self.ahead = b""
        self.closed = None  # (code, reason) of the other side's good-bye
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}", "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self.left:
            self.left += self.more()
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        self.head = head.decode()
        status = int(self.head.split()[1])
        if status != 101:
            self.socket.close()
            raise Refused(status, self.head)

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("the connection ended without a good-bye")
        return got

    def take(self, size):
        while len(self.left) < size:
            self.left += self.more()
        got, self.left = self.left[:size], self.left[size:]
        return got

    def send(self, data, kind=BINARY):
        data = data.encode() if isinstance(data, str) else data
        size = len(data)
        head = bytes([0x80 | kind]) + (bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size)
                                       if size < 65536 else bytes([0xFF]) + struct.pack(">Q", size))
        mask = os.urandom(4)
        repeated = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
        self.socket.sendall(head + mask + masked)

    def frame(self):
        first, second = self.take(2)
        size = second & 0x7F
        if size == 126:
            size, = struct.unpack(">H", self.take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self.take(8))
        return first & 15, self.take(size)

    def receive(self):
        """The next data; None at the end."""
        while True:
            kind, data = self.frame()
            if kind in (TEXT, BINARY, 0):
                return data
            if kind == PING:
                self.send(data, PONG)
            if kind == CLOSE:
                self.closed = (int.from_bytes(data[:2], "big"), data[2:].decode())
                self.send(data[:2], CLOSE)
                self.socket.close()
                return None

    def until(self, part):
        """What comes up to `part`; what is behind it is for the next call."""
        said, self.ahead = self.ahead, b""
        while part not in said:
            got = self.receive()
            if got is None:
                raise AssertionError(f"{part!r} did not come, but {said!r} and the end {self.closed}")
            said += got
        size = said.index(part) + len(part)
        self.ahead = said[size:]
        return said[:size]

    def rest(self):
        """All that comes until the end."""
        said, self.ahead = self.ahead, b""
        while (got := self.receive()) is not None:
            said += got
        return said

    def close(self):
        self.send(struct.pack(">H", 1000), CLOSE)
        self.socket.close()
