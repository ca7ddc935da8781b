"""Kernels of the warm process behind the interfaces of ``jupyter_client``."""

import asyncio
import json
import os
import select
import signal
import socket
import tempfile
import time
import uuid
from pathlib import Path
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Type

from evaluation.batch.warm.process import VARIABLE

_OPEN = 10.0  # seconds until the warm process listens
_START = 60.0  # seconds until the warm process has loaded and answers


class WarmProcess:
    """A forked kernel as `subprocess.Popen` would show it; the parent is another process."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, lines, pid: int):
        self._connection, self._lines, self.pid = connection, lines, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How the kernel ended, as the warm process tells; missing while it runs."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            line = self._lines.readline()
            # Without a last word the warm process was killed, and its children with it.
            self.returncode = json.loads(line)["status"] if line else -signal.SIGKILL
            self.let_go()
        return self.returncode

    def let_go(self) -> None:
        """Close the connection: a kernel that still runs is ended."""
        self._lines.close()
        self._connection.close()

    def wait(self) -> int:
        """Wait for the end."""
        while self.poll() is None:
            select.select([self._connection], [], [])
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel alone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the kernel alone."""
        self.send_signal(signal.SIGKILL)


def request_kernel(argv: list[str], env: dict, cwd: str) -> WarmProcess | None:
    """Ask the warm process for a kernel; none where there is no such process or it refuses."""
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_START)
    lines = connection.makefile("rb")
    try:
        # The process may still be on its way to its socket.
        end = time.monotonic() + _OPEN
        while not Path(path).exists() and Path(path).parent.is_dir() and time.monotonic() < end:
            time.sleep(0.05)
        connection.connect(path)
        env = {name: value for name, value in env.items() if name != VARIABLE}
        request = {"argv": argv, "env": env, "cwd": cwd}
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(lines.readline() or b"{}")
    except OSError:
        answer = {}
    if "pid" not in answer:
        lines.close()
        connection.close()
        return None
    return WarmProcess(connection, lines, answer["pid"])


class WarmProvisioner(LocalProvisioner):
    """Gets a kernel from the warm process; where there is none, starts an ordinary one."""

    async def launch_kernel(self, cmd, **kwargs):
        """Launch a kernel; its sockets are bound when this returns, if it is a warm one."""
        argv = cmd[cmd.index("ipykernel_launcher") + 1 :]
        cwd = str(kwargs.get("cwd") or Path.cwd())
        process = await asyncio.to_thread(request_kernel, argv, kwargs["env"], cwd)
        if process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid, self.cwd = process, process.pid, process.pid, cwd
        return self.connection_info


class PromptClient(AsyncKernelClient):
    """Knows that a kernel is ready from its own words instead of a silence of 0.2 s."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        deadline = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            try:
                await self._until_idle(asked)
            except Empty:  # not yet subscribed: ask again
                if not await self._async_is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
                continue
            reply = await self._async_recv_reply(asked, timeout=1)
            self._handle_kernel_info_reply(reply)
            return
        raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    wait_for_ready = _async_wait_for_ready

    async def _until_idle(self, asked: str) -> None:
        while True:
            message = await self.iopub_channel.get_msg(timeout=1)
            mine = message["parent_header"].get("msg_id") == asked
            if mine and message["content"].get("execution_state") == "idle":
                return


class WarmKernelManager(AsyncKernelManager):
    """Manages a kernel of the warm process as any other."""

    client_factory = Type(klass=PromptClient)

    def __init__(self, **kwargs):
        # Sockets are named after the connection file; without one all kernels would share
        # names in the working directory.
        warm = os.environ.get(VARIABLE)
        folder = Path(warm).parent if warm else Path(tempfile.gettempdir())
        own = folder / f"{uuid.uuid4().hex}.json"
        super().__init__(**kwargs, transport="ipc", connection_file=str(own))

    async def _async_pre_start_kernel(self, **kwargs):
        self.kernel_id = self.kernel_id or uuid.uuid4().hex
        if self.provisioner is None:
            self.provisioner = WarmProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
        return await super()._async_pre_start_kernel(**kwargs)

    async def _async_interrupt_kernel(self) -> None:
        # Before a shutdown an idle kernel needs no interrupt, which now and then hits the
        # handling of the shutdown itself; a busy one is killed after the usual time.
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        await super()._async_wait(pollinterval=0.01)
