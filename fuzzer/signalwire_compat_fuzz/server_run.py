"""Fuzz a server: `schemathesis run` with our cases and checks besides."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .options import RULES, selected, setting, spec_file

CONFIG = Path(__file__).with_name("schemathesis.toml")
OWN_CONFIG = Path("schemathesis.toml")


def config_file(folder: Path) -> Path:
    """Return the settings of schemathesis: those of the current folder, or else ours.

    Where a module of rules says all that no schema says, its warnings fail the run.
    """
    if OWN_CONFIG.is_file():
        return OWN_CONFIG
    # The token of a mock may be shown: a curl command without it reproduces nothing.
    has_secrets = str(bool(setting("auth") or setting("header"))).lower()
    shown = f"[output]\nsanitization = {{ enabled = {has_secrets} }}"
    text = CONFIG.read_text("utf-8").replace("[output]", shown)
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


def run(
    url: str, *options: str, seed: int, examples: int, seconds: int = 0, capture: bool = False
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run it, and return how that ended and what it counted; with `capture`, its output."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    place = "--url" if urlsplit(url).path.strip("/") else "--origin"
    with tempfile.TemporaryDirectory() as name:
        counts = Path(name) / "counts.json"
        command = [program, "--no-color", "--config-file", str(config_file(Path(name)))]
        command += ["run", str(spec_file()), place, url, "--seed", str(seed)]
        command += ["--max-examples", str(max(1, examples // 2))]
        command += ["--max-time", str(seconds)] if seconds else []
        settings = {
            "SCHEMATHESIS_HOOKS": "signalwire_compat_fuzz.server_hooks",
            "FUZZ_COUNTS": str(counts),
            "FUZZ_SEED": str(seed),
            "FUZZ_SECONDS": str(seconds),
            "FUZZ_EXAMPLES": str(examples),
        }
        done = subprocess.run(  # noqa: S603  # schemathesis
            [*command, *options],
            env={**os.environ, **settings},
            check=False,
            capture_output=capture,
            text=True,
        )
        told = json.loads(counts.read_text("utf-8")) if counts.is_file() else {}
    return done, told
