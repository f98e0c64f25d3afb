#!/usr/bin/env python3
"""The official client against the hub on loopback: downloads from it and uploads to it.

    pip install huggingface_hub          # measured with 2.4.0
    cargo run -p weightsmith-hub --features testing --example loopback_hub -- \
        --port 8765 --token secret=me me/model=FOLDER
    python tools/peer/hub/client.py http://127.0.0.1:8765 me/model FOLDER

Exits with an error when a file that comes back is not what went up.
"""

import hashlib
import os
import pathlib
import sys
import tempfile

endpoint, model, folder = sys.argv[1:4]
os.environ["HF_ENDPOINT"] = endpoint
os.environ["HF_TOKEN"] = "secret"
os.environ["HF_HUB_DISABLE_XET"] = "1"  # the hub on loopback speaks LFS, not xet

import huggingface_hub  # noqa: E402
from huggingface_hub import HfApi, snapshot_download  # noqa: E402


def hashes(root):
    files = sorted(path for path in pathlib.Path(root).iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def download(name, revision=None):
    cache = tempfile.mkdtemp()
    return pathlib.Path(snapshot_download(name, revision=revision, cache_dir=cache))


def without_attributes(found):
    return {name: found[name] for name in found if name != ".gitattributes"}


api = HfApi()
expected = hashes(folder)
assert hashes(download(model)) == expected, "what came down is not what the hub has"
blobs = download(model).parent.parent / "blobs"
assert any(len(blob.name) == 64 for blob in blobs.iterdir()), "large files are named by SHA-256"

copy = model + "-copy"
api.create_repo(copy, private=True)
api.upload_folder(repo_id=copy, folder_path=folder, commit_message="Add the model")
assert api.model_info(copy).private
assert without_attributes(hashes(download(copy))) == expected, "what went up came back changed"

change = api.upload_file(
    repo_id=copy, path_or_fileobj=b"# changed\n", path_in_repo="README.md", create_pr=True
)
assert change.pr_url, "a pull request has an address"
revision = "refs/pr/" + change.pr_url.rsplit("/", 1)[1]
assert (download(copy, revision) / "README.md").read_text() == "# changed\n"
print(f"huggingface_hub {huggingface_hub.__version__}: {len(expected)} files down, up and down again")
