"""Text from templates: Templater."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transmissions import MISSING, Processor, Protected, RunError, get_field, set_field

from .access import need
from .template_text import Template, Undefined

if TYPE_CHECKING:
    from transmissions import Message


class Templater(Processor):
    """Fill in a Jinja template with the fields of the message.

    The template is a file in the app's or the target's folder (looked up as files are), or stands in `template`. Reads the
    object at `dataField`; its members are the template's names. A message without the default `contentBlocks` is offered
    whole. Writes the text to `targetField`. Nothing is escaped. Templates may include others from the same folders, and
    run in a sandbox. Besides Jinja's own, there are two things of Nunjucks: `list.length`, and the filter `dump`, which
    writes a value as JSON.

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
    undefined: Undefined = "error"
    "A name that is not in the data is an `error` if printed, or `empty`, with empty members; `strict` forbids `if` with it."

    def __post_init__(self) -> None:
        """Compile a template that stands in the config at once."""
        self._compiled = Template(self, file=self.template_filename, text=self.template, undefined=self.undefined)

    def process(self, message: Message) -> Message:
        """Render the template."""
        set_field(message, self.target_field, self._compiled.render(self._data(message)))
        return message

    def _data(self, message: Message) -> Message:
        data = get_field(message, self.data_field, MISSING)
        if data is MISSING and self.data_field == Templater.data_field:
            return message
        data = need(message, self.data_field)
        if not isinstance(data, dict):
            raise RunError(f"the field '{self.data_field}' is not an object but a {type(data).__name__}")
        return data
