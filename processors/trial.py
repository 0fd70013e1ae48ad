"""Processors for trying things out: they show which settings reach them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from transmissions import Processor, Record

if TYPE_CHECKING:
    from transmissions import Message


class Item(Record):
    """A member of a list."""

    value: Any = ""
    "What it holds."


class TestSetting(Processor):
    """Show the value of one setting, and put it into the message.

    Prints `settingValue` and the value, and writes it to the field `settingValue`.

    ```turtle
    :try a :TestSetting ; :theSettingProperty "from the app" .
    ```
    """

    __test__ = False  # pytest would take it for one of its own

    the_setting_property: str = ""
    "Any text."

    def process(self, message: Message) -> Message:
        """Print the value and set the field."""
        message["settingValue"] = self.the_setting_property
        self.context.show(f"message.settingValue {self.the_setting_property}\n")
        return message


class TestSettings(Processor):
    """Show the values of settings of every kind, one line for each that is given; the message goes on unchanged.

    ```turtle
    :try a :TestSettings ; :me "try" ; :name "Alice", "Bob" ; :uri <http://example.org/> ; :items ( [ :value "one" ] ) .
    ```
    """

    __test__ = False

    me: str = ""
    "How the settings call themselves."
    name: tuple[str, ...] = ()
    "Texts."
    uri: tuple[str, ...] = ()
    "Addresses."
    path: tuple[str, ...] = ()
    "Paths, which in Turtle may be relative IRIs."
    a_setting: tuple[str, ...] = ()
    "Several values."
    b_setting: tuple[str, ...] = ()
    "Several more."
    items: tuple[Item, ...] = ()
    "A list of nodes."
    test: str = ""
    "One more text."

    def process(self, message: Message) -> Message:
        """Print what is set."""
        given = [("items", [item.value for item in self.items])]
        given += [(term, list(values)) for term, values in self._texts().items()]
        lines = [f"{term} = {json.dumps(value, ensure_ascii=False)}\n" for term, values in given for value in values]
        self.context.show("".join(lines))
        return message

    def _texts(self) -> dict[str, tuple[str, ...]]:
        alone = {"me": self.me, "test": self.test}
        many = {"name": self.name, "uri": self.uri, "path": self.path, "aSetting": self.a_setting, "bSetting": self.b_setting}
        return {term: (text,) for term, text in alone.items() if text} | many


class Example(Processor):
    """Copy settings into the message: a pattern for processors of your own, which `trans new processor` begins for you.

    Prints who it is, and writes the fields `common`, `something1` (with `added` behind it), `something2` and `notavalue`.

    ```turtle
    :one a :Example ; :me "one" ; :common "shared" ; :something1 "a" ; :added "b" .
    ```
    """

    me: str = ""
    "The name printed."
    common: str = ""
    "A text, which several nodes may share."
    something1: str = ""
    "A text."
    something2: str = ""
    "A text."
    added: str = ""
    "What is written behind `something1`."
    notavalue: str = "fallback value"
    "A setting nobody sets, to show its default."

    def process(self, message: Message) -> Message:
        """Print the name and set the fields."""
        self.context.show(f"I am {self.me}\n")
        message["common"] = self.common
        message["something1"] = self.something1 + self.added
        message["something2"] = self.something2
        message["notavalue"] = self.notavalue
        return message
