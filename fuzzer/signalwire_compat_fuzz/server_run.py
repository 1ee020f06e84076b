"""Fuzz a server: `schemathesis run` with our cases and checks besides."""

import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .options import RULES, selected, setting, spec_file
from .processes import wait_for

CONFIG = Path(__file__).with_name("schemathesis.toml")
OWN_CONFIG = Path("schemathesis.toml")
_NOTHING: dict[str, Any] = {
    **{"cases": 0, "known": 0, "reply_seconds": 0.0, "findings": [], "covered": []},
    **{"left_out": {}, "never_accepted": {}},
}
"""The results of a run that ended before it had any."""
_NO_NAME = "no name has this in it"
_SHOWN = "sanitization = { enabled = false }"


def config_file(folder: Path) -> Path:
    """Return the settings of schemathesis: those of the current folder, or else ours.

    Where a module of rules says all that no schema says, its warnings fail the run.
    """
    if OWN_CONFIG.is_file():
        return OWN_CONFIG
    text = CONFIG.read_text("utf-8")
    headers = [line.partition(":")[0].strip() for line in setting("header").splitlines() if line]
    if hidden := [*headers, *(["Authorization"] if setting("auth") else [])]:
        keys = f'keys-to-sanitize = {json.dumps(hidden)}, sensitive-markers = ["{_NO_NAME}"]'
        assert _SHOWN in text
        text = text.replace(_SHOWN, f"sanitization = {{ enabled = true, {keys} }}")
    made = folder / CONFIG.name
    made.write_text(f"{text}fail-on = {str(bool(RULES)).lower()}\n", "utf-8")
    return made


def selection() -> list[str]:
    """Return the options of schemathesis for credentials, selection and known failures."""
    found = ["--auth", auth] if (auth := setting("auth")) else []
    if auth.count(":") > 1:  # It takes no password with a colon.
        found = ["--header", f"Authorization: Basic {base64.b64encode(auth.encode()).decode()}"]
    for header in filter(None, setting("header").splitlines()):
        found += ["--header", header]
    for way in ("include", "exclude"):
        for kind, value in selected(way):
            found += [f"--{way}-{'operation-id' if kind == 'id' else kind}", value]
    if (selected("include") or selected("exclude")) and _lacks_links():
        found += ["--phases", "examples,coverage,fuzzing"]  # The fourth would be an error.
    if setting("known"):
        found += ["--baseline", setting("known")]
        found += ["--baseline-update"] if setting("learn") else []
    return found


def _lacks_links() -> bool:
    """Tell whether the document has links, and none leads from a chosen operation to another."""
    from . import document as doc

    chosen = [operation for _, _, operation in doc.operations()]
    names = {operation.get("operationId") for operation in chosen}
    replies = [doc.resolved(r) for one in chosen for r in one.get("responses", {}).values()]
    links = [doc.resolved(link) for reply in replies for link in reply.get("links", {}).values()]
    is_linked = any("operationRef" in link or link.get("operationId") in names for link in links)
    return not is_linked and any("links" in node for node in doc.objects(doc.DOCUMENT))


class Ended(NamedTuple):
    """How a run of schemathesis ended: its status, its results, and all that it printed."""

    status: int
    results: dict[str, Any]
    output: str

    def untested(self) -> list[str]:
        """Name the operations that never took the credentials."""
        refused = self.results["never_accepted"].items()
        return [place for place, replies in refused if {*replies} <= {"401", "403"}]


def run(url: str, *options: str, seed: int, examples: int, seconds: int = 0) -> Ended:
    """Run schemathesis with our cases and checks."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    place = "--url" if urlsplit(url).path.strip("/") else "--origin"
    with tempfile.TemporaryDirectory() as name:
        counts, output = Path(name) / "counts.json", Path(name) / "output.txt"
        command = [program, "--no-color", "--config-file", str(config_file(Path(name)))]
        command += ["run", str(spec_file()), place, url, "--seed", str(seed)]
        command += ["--max-examples", str(max(1, examples // 2))]
        command += ["--max-time", str(seconds)] if seconds else []
        settings = {
            "HYPOTHESIS_STORAGE_DIRECTORY": name,
            "SCHEMATHESIS_HOOKS": "signalwire_compat_fuzz.server_hooks",
            "FUZZ_COUNTS": str(counts),
            "FUZZ_SEED": str(seed),
            "FUZZ_SECONDS": str(seconds),
            "FUZZ_EXAMPLES": str(examples),
        }
        with output.open("w", encoding="utf-8") as file:
            status = wait_for([*command, *options], settings, stdout=file)
        results = dict(_NOTHING)
        if counts.is_file():
            results |= json.loads(counts.read_text("utf-8"))
        return Ended(status, results, output.read_text("utf-8", "replace"))
