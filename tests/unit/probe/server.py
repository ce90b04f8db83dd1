#!/usr/bin/env python3
"""What a container may answer to a probe: one HTTP and one HTTPS server on loopback; says their ports, ends with its
standard input. The path says how it answers."""
import http.server
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # noqa: N802
        port, (first, *rest) = self.server.server_address[1], self.path.strip("/").split("/")
        if first == "code":
            self.answer(int(rest[0]))
        elif first == "headers":
            given = [self.headers.get(name) for name in ("X-A", "X-Empty", "Host", "User-Agent")]
            self.answer(200 if given == ["b c", "", "inside.example", "berth-test"] else 400)
        elif first == "agent":
            self.answer(200 if self.headers["User-Agent"].startswith("berth-probe/") else 400)
        elif first == "again":
            self.answer(302, Location=f"http://127.0.0.1:{port}/code/{rest[0]}")
        elif first == "elsewhere":
            self.answer(302, Location="http://192.0.2.1/")
        elif first == "round":
            self.answer(302, Location="/round")
        elif first == "slow":
            time.sleep(3)
            self.answer(200)
        elif first == "talkative":
            self.send_response(int(rest[0]))
            self.flush_headers()
            while True:
                self.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        elif first == "endless":
            self.send_response(int(rest[0]))
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 4096)
        else:
            self.answer(200, b"fine")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_):
        pass  # clients go when they have heard enough


def serve(tls=None):
    server = Server(("127.0.0.1", 0), Answers)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    with tempfile.NamedTemporaryFile(suffix=".pem") as pem, socket.socket() as silent:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=nobody",
                        "-keyout", pem.name, "-out", pem.name], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem.name)
        silent.bind(("127.0.0.1", 0))  # taken, and nobody listens
        print(serve(), serve(context), silent.getsockname()[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
