"""What an editor asks: of a language server over its protocol, and of jedi."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jedi

Position = tuple[int, int]
"""Line and column, from 0."""


class Target(NamedTuple):
    """Where a name is defined: a file, and a line from 0."""

    path: Path
    line: int


class LanguageServer:
    """A language server, with one file open."""

    def __init__(self, process: subprocess.Popen[bytes], file: Path) -> None:
        self._process, self._file, self._asked = process, file, 0
        self._ask(
            "initialize",
            processId=None,
            rootUri=None,
            capabilities={},
            workspaceFolders=[{"uri": file.parent.as_uri(), "name": "mine"}],
        )
        self._send("initialized", {})
        text = {"uri": file.as_uri(), "languageId": "python", "version": 1}
        self._send("textDocument/didOpen", {"textDocument": {**text, "text": file.read_text()}})

    def completions(self, at: Position) -> set[str]:
        found = self._at("completion", at)
        return {item["label"] for item in found["items"]}

    def hover(self, at: Position) -> str:
        return str(self._at("hover", at)["contents"]["value"])

    def target(self, at: Position) -> Target:
        (found, *_) = self._at("definition", at)
        path = Path(found["uri"].removeprefix("file://"))
        return Target(path, found["range"]["start"]["line"])

    def _at(self, what: str, at: Position) -> Any:
        place = {"line": at[0], "character": at[1]}
        document = {"uri": self._file.as_uri()}
        return self._ask(f"textDocument/{what}", textDocument=document, position=place)

    def _ask(self, method: str, **params: Any) -> Any:
        self._asked += 1
        self._send(method, params, id=self._asked)
        while True:
            message = self._receive()
            if message.get("id") == self._asked and "method" not in message:
                return message["result"]
            if "id" in message:  # It asks for settings, and has none.
                self._write({"id": message["id"], "result": [{}]})

    def _send(self, method: str, params: Any, **more: Any) -> None:
        self._write({"method": method, "params": params, **more})

    def _write(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


@contextmanager
def language_server(command: Path, file: Path) -> Iterator[LanguageServer]:
    """Start a language server, and open a file in it."""
    pipe = subprocess.PIPE
    with subprocess.Popen((command, "--stdio"), stdin=pipe, stdout=pipe) as process:
        yield LanguageServer(process, file)
        process.kill()


class Jedi:
    """The library behind IPython, Vim and other editors, with one file open."""

    def __init__(self, python: Path, file: Path) -> None:
        environment = jedi.create_environment(python.parents[1], safe=False)
        self._script = jedi.Script(path=file, environment=environment)

    def completions(self, at: Position) -> set[str]:
        return {found.name for found in self._script.complete(at[0] + 1, at[1])}

    def hover(self, at: Position) -> str:
        (found,) = self._script.help(at[0] + 1, at[1])
        return str(found.docstring())

    def target(self, at: Position) -> Target:
        (found,) = self._script.goto(at[0] + 1, at[1], follow_imports=True)
        return Target(Path(found.module_path), found.line - 1)
