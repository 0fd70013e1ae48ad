"""Text from templates: Templater."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from transmissions import MISSING, Processor, Protected, RunError, get_field, set_field

from .access import need

if TYPE_CHECKING:
    import jinja2

    from transmissions import Message

_INLINE: Final = "<template>"


class Templater(Processor):
    """Fill in a Jinja template with the fields of the message.

    The template is a file in the app's or the target's folder (looked up as files are), or stands in `template`. Reads the
    object at `dataField`; its members are the template's names. A message without the default `contentBlocks` is offered
    whole. Writes the text to `targetField`. Nothing is escaped. Templates may include others from the same folders, and
    run in a sandbox.

    ```turtle
    :page a :Templater ; :templateFilename "page.njk" ; :dataField "data" ; :targetField "content" .
    ```
    """

    template_filename: str = ""
    "The file."
    template: Annotated[str, Protected()] = ""
    "The template itself, instead of a file."
    data_field: str = "contentBlocks"
    "Dotted path of the object whose members the template can name."
    target_field: str = "content"
    "Dotted path the text is written to."
    undefined: Literal["error", "empty", "strict"] = "error"
    "Printing a name that is not in the data is an `error`, or `empty` text; `strict` forbids asking for it with `if` too."

    def __post_init__(self) -> None:
        """Compile a template that stands in the config at once, as a fault in it is a fault of the config."""
        if bool(self.template) == bool(self.template_filename):
            raise RunError("a Templater needs either :templateFilename or :template")
        self._compiled = self._compile() if self.template else None

    def process(self, message: Message) -> Message:
        """Render the template."""
        import jinja2

        if self._compiled is None:
            self._compiled = self._compile()
        try:
            text = self._compiled.render(self._data(message))
        except jinja2.TemplateSyntaxError as error:  # in a template that this one includes
            raise _syntax_fault(error) from error
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise RunError(f"{self._place(error)}: {error}") from error
        set_field(message, self.target_field, text)
        return message

    def _data(self, message: Message) -> Message:
        data = get_field(message, self.data_field, MISSING)
        if data is MISSING and self.data_field == Templater.data_field:
            return message
        data = need(message, self.data_field)
        if not isinstance(data, dict):
            raise RunError(f"the field '{self.data_field}' is not an object but a {type(data).__name__}")
        return data

    def _compile(self) -> jinja2.Template:
        import jinja2

        environment, name = self._environment(), self.template_filename
        try:
            return environment.get_template(name) if name else environment.from_string(self.template)
        except jinja2.TemplateSyntaxError as error:
            raise _syntax_fault(error) from error

    def _environment(self) -> jinja2.Environment:
        import jinja2.sandbox

        class Named(jinja2.Undefined):
            """An absent name that may be asked about, but not printed."""

            __slots__ = ()
            __str__ = jinja2.Undefined._fail_with_undefined_error  # noqa: SLF001 - the documented way to make one's own

        kinds = {"error": Named, "empty": jinja2.Undefined, "strict": jinja2.StrictUndefined}
        return jinja2.sandbox.SandboxedEnvironment(
            undefined=kinds[self.undefined],
            loader=jinja2.FunctionLoader(self._source),
            keep_trailing_newline=True,
            autoescape=False,
        )

    def _source(self, name: str) -> tuple[str, str, None]:
        path = self.context.input_path(name)
        folders = self.context.folders
        real = Path(os.path.realpath(path))
        homes = [Path(os.path.realpath(home)) for home in (folders.app, folders.target) if home]
        if not any(real.is_relative_to(home) for home in homes):
            raise RunError(f"the template '{path}' is neither in the app's folder nor in the target's")
        if not path.is_file():
            raise RunError(f"no template '{name}'; looked in {folders.data}, {folders.data / 'data'} and {folders.app}")
        return path.read_text(encoding="utf-8"), str(path), None

    def _place(self, error: Exception) -> str:
        place, trace = self.template_filename or _INLINE, error.__traceback__
        while trace:
            # Jinja rewrites tracebacks so that frames of a template name its own lines; the last one is the innermost.
            if "__jinja_exception__" in trace.tb_frame.f_globals:
                place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


def _syntax_fault(error: jinja2.TemplateSyntaxError) -> RunError:
    return RunError(f"{error.filename or _INLINE}:{error.lineno}: {error.message}")
