"""A timestamp authority on loopback: OpenSSL's own ``openssl ts`` behind an HTTP server."""

import http.server
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONFIG = """
[tsa]
default_tsa = tsa1
[tsa1]
dir = {folder}
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
{certs}
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """``answer`` may be replaced by what a bad authority would do."""

    url: str
    root: Path
    folder: Path
    answer: Callable[[bytes], tuple[int, dict[str, str], bytes]]
    requests: list[bytes]


def openssl(*arguments: str, folder: Path) -> bytes:
    program = shutil.which("openssl")
    assert program, "the tests need the command openssl"
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, check=True).stdout


def make_certificates(folder: Path, key: tuple[str, ...] = ("rsa:2048",), certs: str = "") -> None:
    """A root, and a signer that it certified for timestamps; ``certs`` says which more the answers hold."""
    (folder / "signer.ext").write_text(
        "extendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    )
    openssl("req", "-x509", "-newkey", *key, "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "30",
            "-subj", "/CN=Test root", "-addext", "keyUsage=critical,keyCertSign", folder=folder)  # fmt: skip
    openssl(
        "req",
        "-newkey",
        *key,
        "-nodes",
        "-keyout",
        "tsa.key",
        "-out",
        "tsa.csr",
        "-subj",
        "/CN=Test TSA",
        folder=folder,
    )
    openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "30",
            "-extfile", "signer.ext", "-out", "tsa.pem", folder=folder)  # fmt: skip
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder, certs=certs))


def reply(folder: Path, query: bytes) -> bytes:
    """What OpenSSL's authority answers."""
    (folder / "query.tsq").write_bytes(query)
    return openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", folder=folder)


@contextmanager
def authority(folder: Path, key: tuple[str, ...] = ("rsa:2048",), certs: str = "") -> Iterator[Authority]:
    make_certificates(folder, key, certs)
    seen: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(query)
            status, headers, body = found.answer(query)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Authority(
        f"http://127.0.0.1:{server.server_port}/tsr?policy=1", folder / "root.pem", folder,
        lambda query: (200, {"Content-Type": "application/timestamp-reply"}, reply(folder, query)), seen,
    )  # fmt: skip
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
