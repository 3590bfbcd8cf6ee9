"""Run a script and write the names of all functions that it executed: `python traced.py OUTPUT SCRIPT ARGUMENTS`.

A line for each function, lambda and method of the folder `src` that was called, in any thread: its file, the line where
it begins and the name. Bodies of modules and of classes are left out, with the comprehensions in them: importing a
module runs all of them.
"""

import inspect
import runpy
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType

output, script, *arguments = sys.argv[1:]
source = str(Path(script).resolve().parents[2] / "src")
executed: set[CodeType] = set()


def note(frame: FrameType, event: str, argument: object) -> None:
    """Keep the code that is called; None says that its lines need not be told."""
    executed.add(frame.f_code)


sys.argv = [script, *arguments]
threading.settrace(note)
sys.settrace(note)
try:
    runpy.run_path(script, run_name="__main__")
finally:
    sys.settrace(None)
    lines = {
        f"{code.co_filename}\t{code.co_firstlineno}\t{code.co_qualname}"
        for code in executed
        if code.co_filename.startswith(source)
        and code.co_flags & inspect.CO_OPTIMIZED
        and code.co_qualname not in ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")
    }
    Path(output).write_text("\n".join(sorted(lines)))
