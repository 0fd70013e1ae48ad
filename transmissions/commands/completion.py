"""`trans completion`: words for the tab key of a shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from transmissions.errors import OK

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = "print a completion script for bash, zsh or fish"

_BASH = """\
# For bash: source <(trans completion bash)
_trans() {
    local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} words apps
    apps="APPS $(compgen -d apps/ 2>/dev/null | sed 's|.*/||')"
    case $COMP_CWORD:$first in
        1:*) words="COMMANDS $apps" ;;
CASES
        *) words="RUN_OPTIONS" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _trans trans ./trans
"""
_ZSH = "# For zsh: source <(trans completion zsh)\nautoload -U +X bashcompinit && bashcompinit\n"
_FISH = """\
# For fish: trans completion fish | source
complete -c trans -n __fish_use_subcommand -a "COMMANDS APPS (path basename apps/*/ 2>/dev/null)"
CASES
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def call(options: Namespace) -> int:
    """Print the script, with the commands, their options and the bundled apps written into it."""
    print(_fish() if options.shell == "fish" else (_ZSH if options.shell == "zsh" else "") + _bash(), end="")
    return OK


def _bash() -> str:
    options = _options()
    cases = "\n".join(f'        *:{name}) words="{" ".join(words)} $apps" ;;' for name, words in options.items())
    return _fill(_BASH, cases).replace("RUN_OPTIONS", " ".join(options["run"]))


def _fish() -> str:
    cases = [
        f'complete -c trans -n "__fish_seen_subcommand_from {name}" -l {word.removeprefix("--")}'
        for name, words in _options().items()
        for word in words
    ]
    return _fill(_FISH, "\n".join(cases))


def _fill(script: str, cases: str) -> str:
    from transmissions.cli import COMMANDS
    from transmissions.homes import apps

    names = " ".join(app.name for app in apps() if app.home.kind == "bundled")
    return script.replace("CASES", cases).replace("COMMANDS", " ".join(COMMANDS)).replace("APPS", names)


def _options() -> dict[str, list[str]]:
    """Return the long options of every command, as its own usage line names them."""
    from transmissions.cli import COMMANDS, parser_of

    return {name: sorted(set(re.findall(r"--[a-z-]+", parser_of(name).format_usage()))) for name in COMMANDS}
