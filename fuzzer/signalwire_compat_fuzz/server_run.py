"""Fuzz a server: `schemathesis run` with our cases and checks besides."""

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


def config_file(folder: Path) -> Path:
    """Return the settings of schemathesis: those of the current folder, or else ours.

    Where a module of rules says all that no schema says, its warnings fail the run.
    """
    if OWN_CONFIG.is_file():
        return OWN_CONFIG
    text = CONFIG.read_text("utf-8")
    headers = [line.partition(":")[0].strip() for line in setting("header").splitlines() if line]
    if hidden := [*headers, *(["Authorization"] if setting("auth") else [])]:
        keys = f'keys-to-sanitize = {json.dumps(hidden)}, sensitive-markers = ["\\u0000"]'
        shown = "sanitization = { enabled = false }"
        text = text.replace(shown, f"sanitization = {{ enabled = true, {keys} }}")
    made = folder / CONFIG.name
    made.write_text(f"{text}fail-on = {str(bool(RULES)).lower()}\n", "utf-8")
    return made


def selection() -> list[str]:
    """Return the options of schemathesis for credentials, selection and known failures."""
    found = ["--auth", setting("auth")] if setting("auth") else []
    for header in filter(None, setting("header").splitlines()):
        found += ["--header", header]
    for way in ("include", "exclude"):
        for kind, value in selected(way):
            found += [f"--{way}-{'operation-id' if kind == 'id' else kind}", value]
    if setting("known"):
        found += ["--baseline", setting("known")]
        found += ["--baseline-update"] if setting("learn") else []
    return found


class Ended(NamedTuple):
    """How a run of schemathesis ended: its status, what it told, and all that it printed."""

    status: int
    told: dict[str, Any]
    output: str


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
        told = json.loads(counts.read_text("utf-8")) if counts.is_file() else {}
        return Ended(status, told, output.read_text("utf-8", "replace"))
