"""Loads a module when one of its names is first used, so that a large contract imports fast."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make `__getattr__` and `__dir__` of a package from its names and the modules they are in.

    Where a module has the same name, the value is the module itself.
    """

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f".{modules[name]}", package)
        value = module if modules[name] == name else getattr(module, name)
        vars(sys.modules[package])[name] = value  # The next use finds it without this function.
        return value

    return get, lambda: sorted(modules)
