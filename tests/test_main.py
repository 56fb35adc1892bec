import importlib
import subprocess
import sys

import pytest

from cirs_tf.__main__ import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(capsys, name):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out
    module, _ = COMMANDS[name]
    assert callable(importlib.import_module(module).main)


def test_no_help_waits_for_tensorflow():
    """Every command of a user, in a process that has imported nothing."""
    code = f"""
import contextlib, sys
from cirs_tf.__main__ import main
for name in {list(COMMANDS)}:
    with contextlib.suppress(SystemExit):
        main([name, "--help"])
    assert "tensorflow" not in sys.modules, name
print("none")
"""
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.splitlines()[-1] == "none" and printed.count("usage:") > 10


def test_without_a_command_it_lists_them(capsys):
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)
    assert main(["--help"]) == 0


def test_the_exit_status_is_that_of_the_command(capsys):
    assert main(["evaluate", "nowhere"]) == 1
    assert "not a run folder" in capsys.readouterr().err
