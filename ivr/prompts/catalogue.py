"""Which prompts there are, and what each says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from ivr.prompts.errors import PromptTextError

SUFFIX: Final = ".ulaw"
TEXT_FILE: Final = "prompts.yaml"
OCTETS_PER_MS: Final = 8


class PromptCatalogue:
    """The prompts below some folders; a name in an earlier folder hides the same one in a later."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders

    def find(self, name: str) -> Path | None:
        """Return the file of a prompt such as `en/welcome`; None when there is none."""
        if ".." in name.split("/") or name.startswith("/"):
            return None
        paths = (folder / (name + SUFFIX) for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)

    def has(self, name: str) -> bool:
        """Return whether there is such a prompt."""
        return self.find(name) is not None

    def names(self) -> frozenset[str]:
        """Return the names of all prompts."""
        return frozenset(
            path.relative_to(folder).as_posix().removesuffix(SUFFIX)
            for folder in self.folders
            for path in folder.rglob("*" + SUFFIX)
        )

    def duration_ms(self, name: str) -> int | None:
        """Return the length of a prompt; None when there is none."""
        path = self.find(name)
        return path.stat().st_size // OCTETS_PER_MS if path else None


def read_texts(folder: Path) -> dict[str, str]:
    """Return name -> text of a language's folder, in the order of the file.

    Raises PromptTextError with file and line.
    """
    path = folder / TEXT_FILE
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PromptTextError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PromptTextError(f"{path}: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise PromptTextError(f"{path}:1: expected `name: text` lines")
    texts: dict[str, str] = {}
    for key, value in root.value:
        where = f"{path}:{key.start_mark.line + 1}"
        if not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            raise PromptTextError(f"{where}: `{key.value}` needs a text")
        if key.value in texts:
            raise PromptTextError(f"{where}: `{key.value}` is there twice")
        texts[key.value] = value.value
    return texts
