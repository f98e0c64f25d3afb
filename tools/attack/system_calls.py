"""Runs a program under ptrace and interferes with one of its system calls.

All threads count together, so that the n-th call is one place of the whole program (strace counts for each thread apart). Only Linux on x86-64,
standard library alone.
"""

import ctypes
import errno
import os
import platform
import signal
import struct

TRACEME, POKEUSER, SYSCALL, SETOPTIONS, GET_SYSCALL_INFO = 0, 6, 24, 0x4200, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXITKILL = 1, 2, 4, 8, 0x100000
WALL = 0x40000000
RAX, ORIG_RAX = 80, 120  # offsets in `struct user`
ENTRY, EXIT = 1, 2

# Calls that touch files, by their numbers on x86-64.
NAMES = {
    0: "read", 1: "write", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 8: "lseek", 9: "mmap",
    17: "pread64", 18: "pwrite64", 20: "writev", 21: "access", 40: "sendfile", 72: "fcntl",
    73: "flock", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate", 78: "getdents",
    79: "getcwd", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink",
    88: "symlink", 89: "readlink", 90: "chmod", 91: "fchmod", 137: "statfs", 138: "fstatfs",
    217: "getdents64", 257: "openat", 258: "mkdirat", 262: "newfstatat", 263: "unlinkat",
    264: "renameat", 265: "linkat", 266: "symlinkat", 267: "readlinkat", 268: "fchmodat",
    269: "faccessat", 277: "sync_file_range", 280: "utimensat", 285: "fallocate", 296: "pwritev",
    316: "renameat2", 326: "copy_file_range", 332: "statx", 439: "faccessat2",
}
# Those that can change what is on the disk, whatever their arguments.
CHANGING = {
    "fsync", "fdatasync", "truncate", "ftruncate", "rename", "renameat", "renameat2", "mkdir",
    "mkdirat", "rmdir", "creat", "link", "linkat", "unlink", "unlinkat", "symlink", "symlinkat",
    "chmod", "fchmod", "fchmodat", "sync_file_range", "utimensat", "fallocate", "pwrite64",
    "pwritev", "copy_file_range", "sendfile", "flock",
}
WRITING = {"write", "writev"}
O_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MAP_ANONYMOUS = 0x20
F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW = 6, 7, 37, 38

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Call:
    """A system call that touches files."""

    __slots__ = ("name", "args", "path", "is_folder")

    def __init__(self, name, args, path):
        self.name, self.args, self.path = name, args, path
        self.is_folder = os.path.isdir(path)

    @property
    def is_changing(self):
        if self.name in CHANGING:
            return True
        if self.name in WRITING:
            return self.args[0] > 2
        if self.name == "openat":
            return bool(self.args[2] & O_WRITES)
        return self.name == "fcntl" and self.args[1] in (F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW)

    def __str__(self):
        return f"{self.name}({self.path})" if self.path else self.name


class Fault:
    """What happens at the call of an index: the process is killed before it, or the call fails. `only` limits what is counted to calls whose path holds
    that text.
    """

    def __init__(self, index, error=None, only=""):
        self.index, self.error, self.only = index, error, only

    def __str__(self):
        return errno.errorcode[self.error] if self.error else "KILL"


class Run:
    """How a program ended, and the calls that it made where they were listed."""

    def __init__(self):
        self.calls = []
        self.count = 0
        self.reached = False
        self.code = None
        self.timed_out = False


def why_not():
    """Why programs cannot be traced here; nothing where they can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "system calls are known for Linux on x86-64 alone"
    try:
        run = trace(["/bin/true"], {}, "/", os.devnull)
    except OSError as error:
        return f"ptrace is not permitted: {error}"
    return None if run.code == 0 and run.count else "ptrace does not work here"


def trace(command, environment, folder, output, fault=None, listing=False, wait=20, memory=None, started=None):
    """Runs a command to its end, stdout and stderr into a file; with a fault in it where one is given. `started` is told its number."""
    pid = os.fork()
    if pid == 0:
        start_child(command, environment, folder, output, memory)
    run = Run()
    if started:
        started(pid)

    def expire(*_):
        run.timed_out = True
        kill(pid)

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, wait)
    try:
        follow(pid, run, fault, listing)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return run


def start_child(command, environment, folder, output, memory):
    try:
        import resource
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.closerange(3, 64)
        os.chdir(folder)
        if libc.ptrace(TRACEME, 0, None, None) != 0:
            os._exit(126)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execve(command[0], command, environment)
    finally:
        os._exit(127)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def request(what, tid, address, data):
    ctypes.set_errno(0)
    if libc.ptrace(what, tid, address, data) == -1 and ctypes.get_errno() not in (0, errno.ESRCH):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def follow(pid, run, fault, listing):
    _, status = os.waitpid(pid, WALL)
    if not os.WIFSTOPPED(status):
        raise OSError(errno.EPERM, "the child could not ask to be traced")
    request(SETOPTIONS, pid, None, SYSGOOD | FORK | VFORK | CLONE | EXITKILL)
    request(SYSCALL, pid, None, None)
    info = ctypes.create_string_buffer(88)
    failing = {}
    started = False
    while True:
        tid, status = os.waitpid(-1, WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if tid == pid:  # its other threads have ended before
                run.code = os.waitstatus_to_exitcode(status)
                return
            continue
        passed = os.WSTOPSIG(status)
        if passed == signal.SIGTRAP | 0x80:
            passed = 0
            size = libc.ptrace(GET_SYSCALL_INFO, tid, len(info), ctypes.addressof(info))
            kind = info.raw[0] if size > 0 else 0
            if kind == ENTRY:
                number, *args = struct.unpack_from("<7Q", info, 24)
                started = started or number == 12  # the program's own first call: brk
                name = NAMES.get(number)
                if fault and fault.only and name and fault.only not in path_of(tid, name, args):
                    name = None
                if started and name and not (name == "mmap" and args[3] & MAP_ANONYMOUS):
                    if listing:
                        run.calls.append(Call(name, args, path_of(tid, name, args)))
                    if fault and run.count == fault.index:
                        run.reached = True
                        if fault.error is None:
                            kill(pid)
                            run.count += 1
                            continue
                        failing[tid] = fault.error
                        request(POKEUSER, tid, ORIG_RAX, ctypes.c_void_p(2**64 - 1))
                    run.count += 1
            elif kind == EXIT and tid in failing:
                request(POKEUSER, tid, RAX, ctypes.c_void_p(2**64 - failing.pop(tid)))
        elif status >> 16 or passed in (signal.SIGSTOP, signal.SIGTRAP):
            passed = 0
        request(SYSCALL, tid, None, ctypes.c_void_p(passed))


def path_of(tid, name, args):
    """The path or file that a call is about, for people."""
    try:
        if name in ("openat", "statx", "newfstatat", "mkdirat", "unlinkat", "renameat", "renameat2"):
            text = string_at(tid, args[1])
            return text or os.readlink(f"/proc/{tid}/fd/{args[0]}")
        if name in ("rename", "mkdir", "rmdir", "unlink", "readlink", "stat", "lstat", "access", "statfs"):
            return string_at(tid, args[0])
        descriptor = args[4] if name == "mmap" else args[0]
        return os.readlink(f"/proc/{tid}/fd/{descriptor}")
    except OSError:
        return ""


def string_at(tid, address):
    with open(f"/proc/{tid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        room = 4096 - address % 4096
        return memory.read(min(room, 512)).split(b"\0")[0].decode(errors="replace")
