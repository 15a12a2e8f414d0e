"""A server on Python's http.server that does what the path asks for. Arguments: port, and certificate and key for TLS."""
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def content_of(number):
    return b"%d:" % number + b"x" * (300_000 if number >= 62 else number * 97 % 5_000)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        _, name, number = self.path.split("/")
        self.content = content_of(int(number))
        getattr(self, name.replace("-", "_"))()

    def do_POST(self):
        _, name, number = self.path.split("/")
        length = int(self.headers["content-length"])
        if name == "early":
            self.with_length(413, b"too large")
            self.wfile.flush()
            self.close_connection = True
        read = 0
        while read < length:
            piece = self.rfile.read(min(65_536, length - read))
            if not piece:
                return
            read += len(piece)
        if name == "upload":
            self.with_length(200, b"%d:%d" % (int(number), read))

    def with_length(self, status, content, *headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content)

    def length(self):
        self.with_length(200, self.content)

    def close(self):
        self.with_length(200, self.content, ("Connection", "close"))

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[:-1])
        self.close_connection = True

    def old(self):
        self.protocol_version = "HTTP/1.0"
        self.with_length(200, self.content)
        self.close_connection = True

    def to_close(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)
        self.close_connection = True

    def interim(self):
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        self.wfile.flush()
        self.with_length(200, self.content)

    def chunks(self, end=b"0\r\n\r\n"):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        size = max(7, len(self.content) // 20)
        for at in range(0, len(self.content), size):
            piece = self.content[at : at + size]
            self.wfile.write(b"%X;n=%d\r\n%b\r\n" % (len(piece), at, piece))
            self.wfile.flush()
        self.wfile.write(end)

    def trailers(self):
        self.chunks(b"0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n")

    def none(self):
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    # The handshake in the connection's own thread.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
