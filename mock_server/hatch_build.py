"""Add openapi.yaml to the built packages. The repository keeps one copy, one folder up."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SpecHook(BuildHookInterface[Any]):
    """Add the spec to sdists and wheels. A wheel built from an sdist finds it there already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the spec, except to an editable install: that reads the one of the repository."""
        inside = "signalwire_compat_mock/openapi.yaml"
        if version == "editable" or (Path(self.root) / inside).is_file():
            return
        build_data["force_include"][str(Path(self.root).parent / "openapi.yaml")] = inside
