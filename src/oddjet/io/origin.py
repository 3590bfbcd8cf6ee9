"""What a result was made from, for files that are not HDF5.

CSV, Markdown, PDF and PNG have a JSON file beside them; a simulated ROOT file has a record inside.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oddjet.errors import TableError
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


def read_origin(path: Path) -> dict[str, Any]:
    """Return the record that lies beside a file; raises `TableError` where it cannot be read."""
    beside = path.with_name(path.name + SUFFIX)
    try:
        return dict(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TableError(f"{beside}: not a readable record ({error}); make {path.name} again") from error
