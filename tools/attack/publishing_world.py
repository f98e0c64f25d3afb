"""What `publishing.py` works with: tiny models, a place to mount, the hub for tests."""

import array
import ctypes
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess

from system_calls import Fault, libc, trace

ROOT = pathlib.Path(__file__).resolve().parents[2]
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x1000, 0x4000, 0x40000, 2
NEWNS, NEWUSER = 0x20000, 0x10000000
CONFIG = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_hidden_layers": 2,
    "tie_word_embeddings": True, "torch_dtype": "float32", "vocab_size": 5,
}
SHAPES = [("model.embed_tokens.weight", [5, 4]), ("model.layers.0.mlp.up_proj.weight", [4, 4]),
          ("model.layers.1.mlp.up_proj.weight", [4, 4]), ("model.norm.weight", [4])]
INPUTS = ["a", "b", "slerp.yml"]

binary = os.path.abspath(os.environ.get("WEIGHTSMITH", ROOT / "target/debug/weightsmith"))
base = pathlib.Path()
hub_process = None
hub_address = "http://127.0.0.1:9"


def scratch():
    """Memory, where the system has a folder of it: thousands of merges need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def begin(folder):
    """Makes the inputs, the old content and a merge that was begun."""
    global base
    base = folder
    for seed, name in enumerate(["a", "b"]):
        model(folder / name, seed)
    text = "models: [{model: a}, {model: b}]\nmerge_method: %s\nbase_model: a\nparameters: {%s}\n"
    (folder / "slerp.yml").write_text(text % ("slerp", "t: 0.5"))
    (folder / "linear.yml").write_text("models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 3}}]\nmerge_method: linear\n")
    done(["merge", "linear.yml", "old", "-q", "--out-shard-size", "300"], folder)
    (folder / "old/notes").mkdir()
    (folder / "old/notes/mine.txt").write_text("mine")
    begin_merge(folder)


def begin_merge(folder):
    """A merge that was killed when half of its files were written. Its inputs are where all merges have them: `place` links them."""
    place = folder / "work"
    copy_inputs(place)
    command = [binary, "merge", "slerp.yml", "out", "-q", "-j", "1", "--out-shard-size", "200"]
    output = str(folder / "begun.txt")
    listed = trace(command, environment(place), place, output, listing=True)
    writes = [index for index, call in enumerate(listed.calls) if call.name == "pwrite64"]
    shutil.rmtree(place / "out")
    trace(command, environment(place), place, output, Fault(writes[len(writes) // 2]))
    shutil.move(place / ".out.weightsmith-partial", folder / "begun")
    shutil.rmtree(place)


def end():
    if hub_process:
        hub_process.kill()
        hub_process.wait()


def path(name):
    return base / name


def model(folder, seed):
    folder.mkdir()
    header, data = {}, b""
    for name, shape in SHAPES:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = array.array("f", [seed + index * 0.25 for index in range(count)]).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 32}')
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")


def copy(source, target):
    shutil.copytree(source, target, dirs_exist_ok=True)


def copy_inputs(folder):
    """A folder with links to the inputs, which keep their places and times."""
    folder.mkdir(parents=True)
    for name in INPUTS:
        (folder / name).symlink_to(base / name)


def environment(folder):
    return {"HOME": str(folder), "HF_HOME": str(folder / "hf"), "HF_ENDPOINT": hub_address, "PATH": "/usr/bin:/bin"}


def run(arguments, folder):
    return subprocess.run([binary, *arguments], cwd=folder, env=environment(folder), text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def done(arguments, folder):
    answer = run(arguments, folder)
    if answer.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)}: {answer.stdout}")


def is_its_name(blob):
    content = blob.read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return blob.name in (git, hashlib.sha256(content).hexdigest())


def hub():
    """Starts the hub for tests with the model `a` as `org/model`; whether there is one."""
    global hub_process, hub_address
    program = pathlib.Path(os.environ.get("LOOPBACK_HUB", ROOT / "target/debug/examples/loopback_hub"))
    if not program.exists():
        return False
    hub_process = subprocess.Popen([program, f"org/model={base / 'a'}"], stdout=subprocess.PIPE, text=True)
    hub_address = hub_process.stdout.readline().strip()
    return bool(hub_address)


def private_mounts():
    """Takes a namespace of its own for mounts; whether this user may."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        if libc.unshare(NEWNS) != 0:
            return False
    else:
        if libc.unshare(NEWUSER | NEWNS) != 0:
            return False
        for name, text in [("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")]:
            pathlib.Path("/proc/self", name).write_text(text)
    return libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) == 0


def mount(kind, source, target):
    if kind == "bind":
        source.mkdir(exist_ok=True)
        code = libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(MS_BIND), None)
    else:
        code = libc.mount(b"tmpfs", os.fsencode(target), b"tmpfs", ctypes.c_ulong(0), b"size=4m")
    if code != 0:
        raise OSError(ctypes.get_errno(), "mount")


def unmount(target):
    libc.umount2(os.fsencode(target), MNT_DETACH)
