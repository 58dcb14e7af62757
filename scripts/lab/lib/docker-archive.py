#!/usr/bin/env python3
"""docker-archive.py IMAGES.toml STAGES: writes the images as one docker archive to standard output.

Layers that images share are in it once. Nothing in it depends on the time, so the same files make the same images.
"""

import hashlib
import io
import json
import os
import sys
import tarfile
import tomllib

EPOCH = "1970-01-01T00:00:00Z"


def layer_of(files, stages):
    """A layer with these files (path in the image -> STAGE/FILE), all executable."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as layer:
        for path, source in sorted(files.items()):
            parents = path.strip("/").split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                directory = tarfile.TarInfo("/".join(parents[:depth]))
                directory.type, directory.mode = tarfile.DIRTYPE, 0o755
                layer.addfile(directory)
            stage, name = source.split("/")
            with open(os.path.join(stages, stage, "out", name), "rb") as content:
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.mode, entry.size = 0o755, os.fstat(content.fileno()).st_size
                layer.addfile(entry, content)
    return made.getvalue()


def main():
    table, stages = sys.argv[1:]
    with open(table, "rb") as text:
        images = tomllib.load(text)["image"]
    with open(os.path.join(stages, "layer-base", "out", "layer.tar"), "rb") as content:
        base = content.read()

    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        written = set()

        def add(name, content):
            if name not in written:
                written.add(name)
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))

        manifest = []
        for image in images:
            layers = [base] if image.get("base") else []
            if image.get("files"):
                layers.append(layer_of(image["files"], stages))
            digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
            for digest, layer in zip(digests, layers):
                add(digest + ".tar", layer)
            config = {
                "architecture": "amd64",
                "os": "linux",
                "created": EPOCH,
                "config": {
                    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                    "Entrypoint": image.get("entrypoint"),
                    "Labels": {"kfleet-lab": "built from Debian packages for tests; not the upstream image"},
                },
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest in digests]},
                "history": [{"created": EPOCH} for _ in layers],
            }
            text = json.dumps(config, sort_keys=True).encode()
            name = hashlib.sha256(text).hexdigest() + ".json"
            add(name, text)
            manifest.append({"Config": name, "RepoTags": image["tags"], "Layers": [d + ".tar" for d in digests]})
        add("manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    main()
