"""Put openapi.yaml into what is built: in the repository it stands once, one folder up."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SpecHook(BuildHookInterface[Any]):
    """An sdist holds the spec inside the package already, so that a wheel can be built of it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the spec; an editable install finds the one of the repository by itself."""
        inside = "signalwire_compat_mock/openapi.yaml"
        if version == "editable" or (Path(self.root) / inside).is_file():
            return
        build_data["force_include"][str(Path(self.root).parent / "openapi.yaml")] = inside
