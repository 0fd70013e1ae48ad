"""The tables of the search database, and the statements that fill them: each takes any number of rows as one JSON text."""

from __future__ import annotations

from typing import Final

FORMAT: Final = 1
SCHEMA: Final = """
CREATE TABLE conversation (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, conversation_id TEXT NOT NULL,
    title TEXT NOT NULL, created TEXT, updated TEXT, url TEXT, page TEXT, digest TEXT NOT NULL
);
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL REFERENCES conversation,
    position INTEGER NOT NULL, message_id TEXT NOT NULL, role TEXT NOT NULL, created TEXT
);
CREATE INDEX message_of ON message (conversation, position);
"""
SEARCH: Final = """
CREATE VIRTUAL TABLE message_text USING fts5(title, text, content='', tokenize='{tokenizer}');
CREATE VIRTUAL TABLE word USING fts5vocab(message_text, row);
CREATE VIEW hit AS SELECT
    message_text.message_text AS words, message_text.rank AS rank, conversation.title AS title, conversation.page AS page,
    message.role AS role, message.created AS created, message.position AS position, message.message_id AS message_id,
    conversation.provider AS provider, conversation.conversation_id AS conversation_id, conversation.url AS url
FROM message_text JOIN message ON message.id = message_text.rowid JOIN conversation ON conversation.id = message.conversation;
"""
KNOWN: Final = """
SELECT json_group_array(json_array(key, id, digest)) FROM conversation WHERE key IN (SELECT value FROM json_each(?))
"""

ADD_CONVERSATIONS: Final = """
INSERT INTO conversation SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'),
    json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'), json_extract(value, '$[7]'),
    json_extract(value, '$[8]'), json_extract(value, '$[9]')
FROM json_each(?)
"""
ADD_MESSAGES: Final = """
INSERT INTO message SELECT
    ?1 + key, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]')
FROM json_each(?2)
"""
ADD_TEXTS: Final = """
INSERT INTO message_text (rowid, title, text) SELECT ?1 + key, title, CAST(substr(?2, span >> 32, span & 0xffffffff) AS TEXT)
FROM (
    SELECT key, CASE type WHEN 'integer' THEN '' ELSE json_extract(value, '$[0]') END AS title,
    CASE type WHEN 'integer' THEN value ELSE json_extract(value, '$[1]') END AS span FROM json_each(?3)
)
"""
"""One value holds the texts of all rows, and SQLite cuts them out of it: to bind each of them takes longer."""
