"""An image of several layers, made anew from a seed: in a folder in OCI's layout, which skopeo pushes."""
import gzip
import hashlib
import io
import json
import os
import random
import tarfile

FILE_BYTES, SMALL_BYTES = 100 << 10, 2 << 10


class Layered:
    """Large layers of some 40 MiB and one of many small files; half of each file is noise, so that it packs to half."""

    def __init__(self, folder, seed, large=5, small_files=6000):
        self.folder, self.random = folder, random.Random(seed)
        os.makedirs(f"{folder}/blobs/sha256")
        self.unpacked = 0
        self.layers, self.diffs = [], []
        self.add_layer([("bin/busybox", open("/bin/busybox", "rb").read())])
        for n in range(large):
            self.add_layer((f"data/{n}/{i % 20}/{i}", self.noise(FILE_BYTES)) for i in range(400))
        self.add_layer((f"small/{i % 100}/{i}", self.noise(SMALL_BYTES)) for i in range(small_files))
        self.packed = sum(one["size"] for one in self.layers)
        self.finish()

    def noise(self, size):
        return self.random.randbytes(size // 2) + b"berth bench " * (size // 24)

    def blob(self, data, kind):
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{self.folder}/blobs/sha256/{digest}", "wb") as out:
            out.write(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def add_layer(self, files):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, data in files:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o755
                tar.addfile(entry, io.BytesIO(data))
        plain = packed.getvalue()
        self.unpacked += len(plain)
        self.diffs.append("sha256:" + hashlib.sha256(plain).hexdigest())
        self.layers.append(self.blob(gzip.compress(plain, 1, mtime=0), "layer.v1.tar+gzip"))

    def finish(self):
        config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sleep", "600"]},
                  "rootfs": {"type": "layers", "diff_ids": self.diffs}}
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": self.blob(json.dumps(config).encode(), "config.v1+json"), "layers": self.layers}
        index = {"schemaVersion": 2, "manifests": [self.blob(json.dumps(manifest).encode(), "manifest.v1+json")]}
        for name, what in (("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
            with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
                json.dump(what, out)
