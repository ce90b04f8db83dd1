"""A registry that only pretends: it holds no blobs but can be slow, in trouble or unwilling, and counts what it is asked."""
import hashlib
import http.server
import json
import threading


def digest_of(document):
    return "sha256:" + hashlib.sha256(document).hexdigest()


class FakeRegistry:
    """Every name is an image of one layer for `architecture`; the knobs may be turned at any time."""

    def __init__(self, architecture="amd64", layer_bytes=1000):
        self.status, self.retry_after, self.failures, self.wait_s = 200, None, 0, 0.0
        self.counted = threading.Lock()
        self.asked = []  # paths
        config = {"os": "linux", "architecture": architecture, "config": {},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}}
        self.config = json.dumps(config).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(self.config),
                       "digest": digest_of(self.config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": layer_bytes,
                        "digest": "sha256:" + "2" * 64}]}).encode()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.answer(self)

            def do_HEAD(self):
                registry.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.going = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.going.set()
        self.server.shutdown()
        self.server.server_close()

    def manifests_asked(self):
        """How often a tag was asked for: once a look."""
        with self.counted:
            return sum("/manifests/" in path and "sha256:" not in path for path in self.asked)

    def answer(self, call):
        with self.counted:
            self.asked.append(call.path)
            status = self.status
            if self.failures > 0:
                self.failures -= 1
                status = 500
        if self.wait_s and "/manifests/" in call.path:
            self.going.wait(self.wait_s)
        kind, body = "application/json", b"{}"
        if status != 200:
            body = json.dumps({"errors": [{"code": "TROUBLE", "message": "the fake registry is in trouble"}]}).encode()
        elif "/manifests/" in call.path:
            kind, body = "application/vnd.oci.image.manifest.v1+json", self.manifest
        elif "/blobs/" in call.path:
            kind, body = "application/octet-stream", self.config
        try:
            call.send_response(status)
            if self.retry_after:
                call.send_header("Retry-After", self.retry_after)
            call.send_header("Content-Type", kind)
            call.send_header("Content-Length", str(len(body)))
            call.end_headers()
            if call.command != "HEAD":
                call.wfile.write(body)
        except OSError:  # the look was given up
            pass
