"""One keep-alive connection that sends what it is told to, well-formed or not, and reads what comes back."""
import contextlib
import socket

from berth import Reply


class NoAnswer(Exception):
    """The server closed the connection without a word."""


class Hang(Exception):
    """Nothing came in time."""


class Headers(dict):
    """Found without regard to case."""

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Wire:
    def __init__(self, host, port, timeout_s, tls=None):
        self.host, self.port, self.timeout_s, self.tls = host, port, timeout_s, tls
        self.socket, self.pending = None, b""

    def close(self):
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.close()
        self.socket, self.pending = None, b""

    def open(self):
        self.socket = socket.create_connection((self.host, self.port), self.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.host)

    def ask(self, request, is_head=False):
        """The reply to the bytes of one request; a kept connection that the server had closed meanwhile is opened anew."""
        kept = self.socket is not None
        try:
            return self.ask_once(request, is_head)
        except NoAnswer:
            if not kept:
                raise
            return self.ask_once(request, is_head)

    def ask_once(self, request, is_head):
        if not self.socket:
            self.open()
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before its end: the answer says why
                self.socket.sendall(request)
            reply = self.read(is_head)
        except TimeoutError as late:
            self.close()
            raise Hang(f"no answer within {self.timeout_s} s") from late
        except (NoAnswer, ConnectionError) as gone:
            self.close()
            raise NoAnswer("closed without an answer") from gone
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def more(self):
        got = self.socket.recv(262144)
        if not got:
            raise NoAnswer
        self.pending += got

    def read(self, is_head):
        while True:
            while b"\r\n\r\n" not in self.pending:
                self.more()
            head, _, self.pending = self.pending.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            status = int(first.split(" ")[1])
            if status >= 200:
                break
        headers = Headers((name.strip().lower(), value.strip()) for name, _, value in (one.partition(":") for one in lines))
        length = 0 if is_head or status in (204, 304) else int(headers.get("content-length", "0"))
        while len(self.pending) < length:
            self.more()
        body, self.pending = self.pending[:length], self.pending[length:]
        return Reply(status, headers, body)
