"""A ClickHouse server of the test's own, from the system's package, which is old: for what needs no new one."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import trustme

USER, PASSWORD = "loader", "opens sesame"

CONFIG = """<?xml version="1.0"?>
<yandex>
    <logger><level>warning</level><log>{folder}/server.log</log><errorlog>{folder}/errors.log</errorlog></logger>
    <listen_host>127.0.0.1</listen_host>
    <listen_host>127.0.0.2</listen_host>
    <tcp_port>{port}</tcp_port>
    <tcp_port_secure>{secure_port}</tcp_port_secure>
    <http_port>{http_port}</http_port>
    <openSSL>
        <server>
            <certificateFile>{folder}/server.pem</certificateFile>
            <privateKeyFile>{folder}/server.key</privateKeyFile>
            <verificationMode>none</verificationMode>
        </server>
    </openSSL>
    <path>{folder}/data/</path>
    <tmp_path>{folder}/tmp/</tmp_path>
    <users_config>{folder}/users.xml</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
    <mark_cache_size>16777216</mark_cache_size>
</yandex>
"""
USERS = f"""<?xml version="1.0"?>
<yandex>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <{USER}>
            <password>{PASSWORD}</password>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </{USER}>
    </users>
</yandex>
"""


def missing() -> str:
    """What is needed and not there; empty where a server can run."""
    return (
        ""
        if shutil.which("clickhouse-server")
        else "no clickhouse-server is installed (apt-get install clickhouse-server)"
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class ClickHouseNode:
    """A server process in a folder; it can be ended and started again over the same data.

    Its certificate is for 127.0.0.1 alone, by an authority of its own, whose certificate is the file ``authority``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self.secure_port = free_port(), free_port()
        self.authority = folder / "authority.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.authority))
        certificate = authority.issue_cert("127.0.0.1")
        certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
        certificate.private_key_pem.write_to_path(str(folder / "server.key"))
        (folder / "data").mkdir()
        (folder / "tmp").mkdir()
        (folder / "users.xml").write_text(USERS)
        (folder / "config.xml").write_text(
            CONFIG.format(folder=folder, port=self.port, secure_port=self.secure_port, http_port=free_port())
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "ClickHouseNode":
        with (self._folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                ["clickhouse-server", f"--config-file={self._folder / 'config.xml'}"],
                stdout=output, stderr=output, cwd=self._folder,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert self._process.poll() is None, (self._folder / "output.log").read_text()
            time.sleep(0.1)
        raise AssertionError("the server did not come up")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
