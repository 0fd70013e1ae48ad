"""Jinja templates of an app, in a sandbox: compiled once, taken from the app's folders only, their faults located."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from transmissions import RunError, as_json

from .files import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import jinja2

    from transmissions import Message, Processor

Undefined = Literal["error", "empty", "strict"]

_INLINE: Final = "<template>"


class Template:
    """A template: a file in the app's or the target's folder (looked up as files are), or text.

    With `finalize`, all that is printed goes through that function (one for Jinja's `pass_context`, so that it is not called
    with constants beforehand), and what it returns as `Markup` is printed as it is.
    """

    def __init__(
        self,
        processor: Processor,
        *,
        file: str = "",
        text: str = "",
        undefined: Undefined = "error",
        filters: Mapping[str, Any] | None = None,
        finalize: Callable[..., Any] | None = None,
        either: str = ":templateFilename or :template",
    ) -> None:
        """Compile a template that is text at once, as a fault in it is a fault of the config.

        Raises:
            RunError: neither file nor text is given, or both are, or the text is no template.

        """
        if bool(text) == bool(file):
            raise RunError(f"a {type(processor).__name__} needs either {either}")
        self._processor, self._file, self._undefined = processor, file, undefined
        self._filters, self._finalize = filters or {}, finalize
        self._compiled = self._compile(text) if text else None

    def forget(self) -> None:
        """Read a file anew when it is next rendered."""
        if self._file:
            self._compiled = None

    def render(self, data: Message) -> str:
        """Return the text with `data` filled in.

        Raises:
            RunError: something is wrong with the template, or with the data for it; the error names file and line.

        """
        import jinja2

        if self._compiled is None:
            self._compiled = self._compile()
        try:
            return self._compiled.render(data)
        except jinja2.TemplateSyntaxError as error:  # in a template that this one includes
            raise _syntax_fault(error) from error
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise RunError(f"{self._place(error)}: {error}") from error

    def _compile(self, text: str = "") -> jinja2.Template:
        import jinja2

        environment = self._environment()
        try:
            return environment.from_string(text) if text else environment.get_template(self._file)
        except jinja2.TemplateSyntaxError as error:
            raise _syntax_fault(error) from error

    def _environment(self) -> jinja2.Environment:
        import jinja2.sandbox

        class Named(jinja2.Undefined):
            """An absent name that may be asked about, but not printed."""

            __slots__ = ()
            __str__ = jinja2.Undefined._fail_with_undefined_error  # noqa: SLF001 - the documented way to make one's own

        kinds = {"error": Named, "empty": jinja2.ChainableUndefined, "strict": jinja2.StrictUndefined}

        class Environment(jinja2.sandbox.SandboxedEnvironment):
            """One whose lists and texts have a `length`, as Nunjucks's do: templates of the original count with it."""

            def getattr(self, obj: Any, attribute: str) -> Any:
                return len(obj) if attribute == "length" and isinstance(obj, Sequence) else super().getattr(obj, attribute)

        environment = Environment(
            undefined=kinds[self._undefined],
            loader=jinja2.FunctionLoader(self._source),
            keep_trailing_newline=True,
            autoescape=self._finalize is not None,
            finalize=self._finalize,
        )
        environment.policies["json.dumps_function"] = lambda value, **_: dump(value)
        environment.filters.update({"dump": dump, **self._filters})
        return environment

    def _source(self, name: str) -> tuple[str, str, None]:
        path = self._processor.context.input_path(name)
        folders = self._processor.context.folders
        real = Path(os.path.realpath(path))
        homes = [Path(os.path.realpath(home)) for home in (folders.app, folders.target) if home]
        if not any(real.is_relative_to(home) for home in homes):
            raise RunError(f"the template '{path}' is neither in the app's folder nor in the target's")
        if not path.is_file():
            raise RunError(f"no template '{name}'; looked in {folders.data}, {folders.data / 'data'} and {folders.app}")
        return decoded(path.read_bytes(), path), str(path), None

    def _place(self, error: Exception) -> str:
        place, trace = self._file or _INLINE, error.__traceback__
        while trace:
            # Jinja rewrites tracebacks so that frames of a template name its own lines; the last one is the innermost.
            if "__jinja_exception__" in trace.tb_frame.f_globals:
                place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


def dump(value: Any, spaces: int | None = None) -> str:
    """Return a value as JSON: a filter that Nunjucks has."""
    return as_json(value, indent=spaces, strict=True).decode()


def _syntax_fault(error: jinja2.TemplateSyntaxError) -> RunError:
    hint = "; two values are compared by == and !=" if error.message == "unexpected '='" else ""  # Nunjucks takes === too
    return RunError(f"{error.filename or _INLINE}:{error.lineno}: {error.message}{hint}")
