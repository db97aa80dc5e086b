"""A real browser and a real notebook server for the tests; skips, with the reason, without them.

Needs Chromium with its driver (Debian: chromium, chromium-driver) and Selenium; notebooks also need
JupyterLab and ipywidgets.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --window-size=1400,1000
"""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver") or "/usr/bin/chromedriver"

#: Settings of JupyterLab: every cell in the page, nothing asked, nothing fetched.
LAB = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {
        "fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True,
    },
    "docmanager-extension/plugin": {"autosave": False},
}  # fmt: skip


def missing_browser() -> str:
    """What is not installed that a browser needs; empty where all is."""
    if importlib.util.find_spec("selenium") is None:
        return "Selenium is not installed"
    if CHROMIUM is None or not Path(DRIVER).exists():
        return "Chromium and its driver are not installed"
    return ""


def missing_lab() -> str:
    """What is not installed that a notebook with widgets needs."""
    names = ("jupyterlab", "ipywidgets", "ipykernel")
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    return f"{', '.join(absent)} not installed" if absent else missing_browser()


def chromium(profile):
    """A headless Chromium that logs what pages complain of and what they request."""
    from selenium import webdriver  # noqa: PLC0415 - asked for after the skip

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    return webdriver.Chrome(options=options, service=service)


def requested(driver) -> list[str]:
    """The addresses that were requested since this was last asked."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


def prefer(driver, scheme: str = "") -> None:
    """What the reader prefers: "dark", "light", or whatever the machine says."""
    features = [{"name": "prefers-color-scheme", "value": scheme}] if scheme else []
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def until(condition, what: str, seconds: float = 60):
    """The first true answer of `condition`, asked again and again."""
    from selenium.common import exceptions  # noqa: PLC0415 - asked for after the skip

    end = time.monotonic() + seconds
    while True:
        # Elements go away while a page is drawn anew.
        with contextlib.suppress(
            exceptions.StaleElementReferenceException, exceptions.NoSuchElementException
        ):
            answer = condition()
            if answer:
                return answer
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} seconds: {what}")
        time.sleep(0.05)


class Lab:
    """JupyterLab on a port of its own, its settings and data in `folder`.

    Notebooks lie in ``folder/work``.
    """

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self.token = secrets.token_hex(16)
        for name, values in LAB.items():
            path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        places = {
            name: str(folder / name)
            for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        }
        python = Path(sys.executable).parent
        environment = {
            **os.environ, **places, "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "PATH": f"{python}{os.pathsep}{os.environ.get('PATH', '')}",
        }  # fmt: skip
        self.log = (folder / "server.log").open("w+")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--expose-app-in-browser", "--ip=127.0.0.1", f"--port={port}",
                "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
                f"--ServerApp.root_dir={self.work}",
            ],
            env=environment, cwd=self.work, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        until(self._answers, "JupyterLab answers")

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            self.log.seek(0)
            pytest.fail(f"JupyterLab ended:\n{self.log.read()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/api", timeout=5) as answer:  # noqa: S310
                return answer.status == 200
        except OSError:
            return False

    def open(self, driver, name: str) -> None:
        """Show a notebook, its kernel ready."""
        driver.get(f"{self.url}/lab/tree/{name}?token={self.token}&reset")
        until(
            lambda: driver.execute_script(READY, name),
            f"{name} is open and its kernel idle",
        )

    def close(self) -> None:
        """End the server, and its kernels with it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


#: Whether a notebook is in front and its kernel waits for work.
READY = """
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.context?.path === arguments[0] && panel.context.isReady
        && panel.sessionContext.session?.kernel?.status === "idle";
"""

#: Runs a command of JupyterLab, as its menu does.
COMMAND = "return window.jupyterapp.commands.execute(arguments[0]).then(() => true)"

#: The code cells of the notebook in front, as they are kept.
CELLS = """
    const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
    return cells.filter((cell) => cell.type === "code").map((cell) => cell.toJSON());
"""


def run_all(driver) -> list[dict]:
    """Run the notebook in front from the top, outputs cleared before; its code cells."""
    driver.set_script_timeout(300)
    for command in ("notebook:clear-all-cell-outputs", "notebook:run-all-cells"):
        driver.execute_script(COMMAND, command)
    return until(
        lambda: (
            (cells := driver.execute_script(CELLS))
            and (any(errors(cells)) or all(cell["execution_count"] for cell in cells))
            and cells
        ),
        "all cells have run",
        300,
    )


def errors(cells) -> list[dict]:
    """Outputs that are errors."""
    outputs = (output for cell in cells for output in cell["outputs"])
    return [output for output in outputs if output["output_type"] == "error"]
