"""What a result was made from, for formats that cannot hold it (CSV, Markdown, PDF, PNG): a JSON file beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from oddjet.io.atomic import write_text
from oddjet.provenance.attributes import attributes, file_digest

SUFFIX = ".origin.json"


def write_origin(
    script: str, settings: str, inputs: Sequence[Path], outputs: Sequence[Path], modules: Sequence[str] = ()
) -> None:
    """Write `OUTPUT.origin.json` beside the first of the outputs, once all of them are written.

    Parameters
    ----------
    script, settings, inputs
        See `oddjet.provenance.attributes.attributes`.
    outputs
        The files that the record is about; it holds the SHA-256 of each by its name.
    modules
        Modules that the script imports by name.
    """
    content = {
        **attributes(script, settings, inputs, *modules),
        "outputs": {path.name: file_digest(path) for path in outputs},
    }
    path = outputs[0].with_name(outputs[0].name + SUFFIX)
    write_text(path, json.dumps(content, indent=1) + "\n")
