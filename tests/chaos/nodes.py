"""Real daemons on one PostgreSQL, each with a network of its own to the database machines."""

from __future__ import annotations

import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.cluster.cluster import Cluster
from tests.cluster.fault_proxy import FaultProxy, Network
from tests.cluster.machine import PASSWORD
from tests.cluster.ports import free_ports
from tests.real.daemon import ENVIRON, Daemon

CONFIG = """
[store]
url = "{url}"
[node]
name = "{name}"
[listen]
public = "127.0.0.1:{public_port}"
private = "127.0.0.1:{private_port}"
public_url = "http://127.0.0.1:{front_port}"
[exotel]
account_sid = "example1"
api_base = "http://127.0.0.1:{exotel_port}"
calls_per_minute = {per_minute}
sms_per_minute = {per_minute}

[[campaign]]
name = "shop"
exophones = ["+918047120001"]
dedup_window = "1s"
callback = {{ flow = "12345", delay = "1s", give_up_after = "2h", max_per_hour = 100 }}
lead = {{ source = "missed_call" }}
[campaign.sms]
sender = "EXAMPL"
body = "Thank you for calling."
dlt_entity_id = "1101000000000000000"
dlt_template_id = "1107000000000000001"
message_class = "transactional"
"""
ANSWERS_WITHIN_S = 1.0
"""A node that takes longer to say that it is ready counts as not ready."""


class Node(Daemon):
    """A daemon that shares its database with others. It reaches each database machine through a proxy."""

    start_at_most_s = 90.0
    """It waits for the database, which may be busy with a failover of its own."""

    def __init__(
        self,
        name: str,
        folder: Path,
        cluster: Cluster,
        database: str,
        exotel_port: int,
        front_port: int,
        per_minute: int,
    ) -> None:
        self.name = name
        folder.mkdir()
        self.config = folder / "missedd.toml"
        self.log_path = folder / "missedd.log.logger"
        self.public_port, self.private_port = free_ports(2)
        self.proxies = [FaultProxy(machine.port) for machine in cluster.machines]
        self.environ = {**ENVIRON, "MISSEDD_DATABASE_PASSWORD": PASSWORD}
        self.running: subprocess.Popen[bytes] | None = None
        self._checkout = None
        hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)
        self.config.write_text(
            CONFIG.format(
                url=f"postgresql://missedd@{hosts}/{database}",
                name=name,
                public_port=self.public_port,
                private_port=self.private_port,
                front_port=front_port,
                exotel_port=exotel_port,
                per_minute=per_minute,
            ),
            "utf-8",
        )

    def open_network(self, stack: ExitStack) -> None:
        for proxy in self.proxies:
            stack.enter_context(proxy)

    def become(self, network: Network) -> None:
        """The network between this node and all database machines."""
        for proxy in self.proxies:
            proxy.become(network)

    def cut(self) -> None:
        for proxy in self.proxies:
            proxy.cut()

    @property
    def is_ready(self) -> bool:
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self.public_port}/readyz", timeout=ANSWERS_WITHIN_S, trust_env=False
            )
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def kill(self) -> None:
        assert self.signal(signal.SIGKILL) == -signal.SIGKILL

    def freeze(self) -> None:
        """The program stands still; the kernel goes on taking connections for it."""
        assert self.running is not None
        self.running.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self.running is not None
        self.running.send_signal(signal.SIGCONT)
