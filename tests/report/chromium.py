"""Headless Chromium over the DevTools protocol on a pipe: what a page is like once it is open."""

import json
import os
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
--disable-background-networking --disable-component-update --disable-sync --disable-extensions
--remote-debugging-pipe --no-default-browser-check""".split()

NOISE = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
OPENED = ("Page.javascriptDialogOpening", "Network.requestWillBeSent")


def find_chromium():
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    def __init__(self, folder: Path):
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        wired = f'exec "$0" "$@" 3<&{their_in} 4>&{their_out} 2>/dev/null >/dev/null'
        command = ["bash", "-c", wired, find_chromium(), *FLAGS, f"--user-data-dir={folder}"]
        self.process = subprocess.Popen(command, pass_fds=(their_in, their_out))
        os.close(their_in)
        os.close(their_out)
        self.out, self.answers = os.fdopen(our_out, "wb"), os.fdopen(our_in, "rb")
        self.number, self.events, self.rest = 0, [], b""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self):
        try:
            self.send("Browser.close")
        finally:
            self.out.close()
            self.answers.close()
            self.process.wait(timeout=20)

    def send(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def read(self):
        while b"\0" not in self.rest:
            chunk = self.answers.read1(1 << 20)
            if not chunk:
                raise RuntimeError("Chromium went away")
            self.rest += chunk
        message, _, self.rest = self.rest.partition(b"\0")
        answer = json.loads(message)
        if "method" in answer:
            self.events.append(answer)
            if answer["method"] == "Page.javascriptDialogOpening":
                raise RuntimeError("a script of the page opened a dialog")
        return answer

    def open(self, path, *, width=1280, height=900, scheme="light", media="screen"):
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.width = width
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)
        self.send("Page.navigate", url="about:blank")
        self.wait()
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.wait()

    def wait(self):
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.read()
        self.events[:] = [e for e in self.events if e["method"] != "Page.loadEventFired"]

    def run(self, script):
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def noise(self):
        """Console messages, exceptions and refused loads since the page was opened."""
        self.run("1")
        return [event["params"] for event in self.events if event["method"] in NOISE]

    def requests(self):
        sent = [e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [event["request"]["url"] for event in sent]

    def overflow(self):
        """How many pixels the page is wider than its window."""
        return self.send("Page.getLayoutMetrics")["cssContentSize"]["width"] - self.width

    def screenshot(self, path, *, whole=True):
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": min(size["height"], 12000),
            "scale": 1,
        }
        options = {"clip": clip, "captureBeyondViewport": True} if whole else {}
        path.write_bytes(b64decode(self.send("Page.captureScreenshot", **options)["data"]))
