"""`trans completion`: words for the tab key of a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from transmissions.errors import OK

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser, Namespace
    from collections.abc import Iterator

HELP = "print a completion script for bash, zsh or fish"

_BASH = """\
# For bash: source <(trans completion bash)
_trans() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} first=${COMP_WORDS[1]} words files= apps own
    apps="APPS $(compgen -d apps/ 2>/dev/null | sed 's|.*/||')"
    own=$(sed -n 's/^class \\([A-Za-z0-9]*\\)(.*/\\1/p' {,apps/"$before"/}processors/*.py 2>/dev/null)
    [ $COMP_CWORD = 1 ] && first=
    case $first:$before in
        :*) words="COMMANDS $apps" files=yes ;;
CASES
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ -n $files && $word != -* ]] && COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _trans trans ./trans
"""
_ZSH = """# For zsh: source <(trans completion zsh)
(( $+functions[compdef] )) || { autoload -U compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
"""
_FISH = """\
# For fish: trans completion fish | source
complete -c trans -n __fish_use_subcommand -a "COMMANDS APPS (path basename apps/*/ 2>/dev/null)"
CASES
"""
_FILES: Final = ("FILE", "DIR", "JSON", "WHERE", "ARGUMENT", "APP", "FOLDER")
"""What an argument is called that can be the path of something."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def call(options: Namespace) -> int:
    """Print the script, with the commands, their options and the bundled apps and processors written into it."""
    print(_fish() if options.shell == "fish" else (_ZSH if options.shell == "zsh" else "") + _bash(), end="")
    return OK


def _bash() -> str:
    cases = [line for name, actions in _commands() for line in _cases(name, actions)]
    behind_an_app = [action for action in dict(_commands())["run"] if action.dest != "app"]
    cases += ['        help:*) words="COMMANDS" ;;', *_cases("*", behind_an_app)]
    return _fill(_BASH, "\n".join(cases))


def _cases(name: str, actions: list[Action]) -> Iterator[str]:
    """Yield what can stand behind an option of a command that takes a value, then what else can stand behind the command."""
    places = [action for action in actions if not action.option_strings]
    for action in actions:
        if action.option_strings and action.nargs != 0:
            behind = "|".join(f"{name}:{option}" for option in action.option_strings)
            yield f"        {behind}) {_values([action])} ;;"
    options = [*_long_options(actions)]
    if len(places) > 1:
        yield f"        {name}:{name}) {_values(places[:1], options)} ;;"
        yield f"        {name}:-*) {_values(places, options)} ;;"
    yield f"        {name}:*) {_values(places[1:] or places, options)} ;;"


def _values(actions: list[Action], options: list[str] | None = None) -> str:
    names = " ".join(str(action.metavar or "") for action in actions)
    words = [*(options or ()), *(str(choice) for action in actions for choice in action.choices or ())]
    words += ["$apps"] if "APP" in names else []
    words += ["PROCESSORS $own"] if "PROCESSOR" in names else []
    return f'words="{" ".join(words)}"{" files=yes" if any(map(names.__contains__, _FILES)) else ""}'


def _fish() -> str:
    cases = [
        f'complete -c trans -n "__fish_seen_subcommand_from {name}" -l {word.removeprefix("--")}'
        for name, actions in _commands()
        for word in _long_options(actions)
    ]
    return _fill(_FISH, "\n".join(cases))


def _fill(script: str, cases: str) -> str:
    from transmissions.cli import COMMANDS
    from transmissions.commands.describe import registry_here
    from transmissions.homes import apps

    names = " ".join(app.name for app in apps() if app.home.kind == "bundled")
    script = script.replace("CASES", cases).replace("PROCESSORS", " ".join(registry_here().names()))
    return script.replace("COMMANDS", " ".join(COMMANDS)).replace("APPS", names)


def _commands() -> Iterator[tuple[str, list[Action]]]:
    from transmissions.cli import COMMANDS, parser_of

    for name in COMMANDS:
        yield name, parser_of(name)._actions  # noqa: SLF001 - argparse has no public way to read them


def _long_options(actions: list[Action]) -> Iterator[str]:
    """Yield the long options of a command."""
    yield from sorted(
        word for action in actions for word in action.option_strings if word.startswith("--") and word != "--help"
    )
