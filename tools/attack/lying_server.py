"""A server on loopback whose answers are bytes, right or wrong. A part of hub.py and stores.py."""

import socket
import threading
import urllib.parse


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path = urllib.parse.unquote(target.split("?")[0])
        self.range = None
        if found := headers.get("range"):
            start, end = found.removeprefix("bytes=").split("-")
            self.range = (int(start), int(end))


class Server:
    """Answers by `hook`, else as `otherwise` says. An answer is bytes, or pieces of them with pauses between."""

    def __init__(self, hook=None):
        self.hook, self.seen, self.lock = hook, [], threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.open = True
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.open:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def close(self):
        self.open = False
        self.socket.close()

    def serve(self, connection):
        connection.settimeout(60)
        try:
            with connection:
                self.answer(connection)
        except (OSError, ValueError):
            pass

    def answer(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := connection.recv(65536)):
                return
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines}
        request = Request(method, target, headers, b"")
        with self.lock:
            self.seen.append(request)
        reply = self.hook(request, self) if self.hook else None
        # an answer to an upload comes when the upload is read, but for those that never read it
        if not getattr(reply, "gi_frame", None):
            while len(body) < int(headers.get("content-length", 0)):
                body += connection.recv(1 << 20)
        request.body = body
        reply = self.otherwise(request) if reply is None else reply
        for piece in [reply] if isinstance(reply, bytes) else reply:
            connection.sendall(piece if method != "HEAD" else piece.split(b"\r\n\r\n")[0] + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(1)
        while connection.recv(65536):
            pass

    def otherwise(self, request):
        raise NotImplementedError
