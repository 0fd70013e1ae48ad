"""What apps keep beside the words of their messages: ratings, searches, drafts, notes. People wrote it, or were told it."""

import json

import pytest
from importing import Sample, check_account, imported

from transmissions.processors.blobs import Members
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.inputs import Archive
from transmissions.processors.reading import read_part
from transmissions.processors.zip_archive import Limits

KEPT = "the words to be kept"
ASKED = {"role": "user", "content": "Why?"}


def open_webui(**fields):
    return {"title": "t", "history": {"messages": {"a": {"id": "a", "role": "assistant", "content": "Yes.", **fields}}}}


def librechat(**fields):
    return {"conversationId": "c", "messages": [{"messageId": "a", "isCreatedByUser": False, "text": "Yes.", **fields}]}


def grok(conversation=None, **fields):
    response = {"_id": "r", "sender": "human", "message": "Why?", **fields}
    return {"conversation": {"id": "c", **(conversation or {})}, "responses": [{"response": response}]}


def lm_studio(**fields):
    return {"name": "n", "messages": [{"versions": [ASKED], "currentlySelected": 0}], **fields}


def studio(**fields):
    return {"chunkedPrompt": {"chunks": [{"role": "model", "text": "Yes.", **fields}]}}


def answered(*blocks):
    return {
        "uuid": "u",
        "name": "",
        "chat_messages": [{"uuid": "m", "sender": "assistant", "text": "", "content": list(blocks)}],
    }


def responded(*items):
    return {"id": "resp_1", "object": "response", "output": list(items)}


def chatgpt(**metadata):
    said = {
        "id": "m",
        "author": {"role": "assistant"},
        "content": {"content_type": "text", "parts": ["Yes."]},
        "metadata": metadata,
    }
    return {"title": "t", "mapping": {"m": {"id": "m", "parent": None, "children": [], "message": said}}, "current_node": "m"}


def stepped(*steps):
    return {"entries": [{"uuid": "e", "query_str": "Why?", "text": json.dumps([{"content": step} for step in steps])}]}


ELEMENTS = {
    "what a call does": ("claude", answered({"type": "tool_use", "name": "find", "input": {"q": "x"}, "message": KEPT})),
    "a search for an answer": (
        "chatgpt",
        chatgpt(
            search_queries=[{"type": "search", "q": KEPT}],
            search_result_groups=[{"entries": [{"url": "https://a.example", "title": "A", "snippet": "a"}]}],
        ),
    ),
    "what nobody cites": (
        "chatgpt",
        chatgpt(search_result_groups=[{"entries": [{"url": "https://a.example", "title": KEPT}]}]),
    ),
    "a file that was searched": (
        "api-answers",
        responded({"type": "file_search_call", "results": [{"filename": KEPT, "text": "x"}]}),
    ),
    "whose tool it is": ("api-answers", responded({"type": "mcp_call", "name": "find", "server_label": KEPT, "output": "x"})),
    "a cited file": (
        "api-answers",
        responded(
            {
                "type": "message",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "Yes.", "annotations": [{"type": "file_citation", "filename": KEPT}]}
                ],
            }
        ),
    ),
    "steps": (
        "perplexity",
        stepped({"web_results": [{"name": KEPT, "url": "https://a.example", "snippet": "a"}]}, {"answer": "Yes."}),
    ),
    "a description": ("gemini-takeout", {"header": "Gemini Apps", "title": "Prompted x", "description": KEPT}),
    "a rating": ("open-webui", open_webui(annotation={"rating": -1, "comment": KEPT})),
    "what ran": ("open-webui", open_webui(code_executions=[{"code": "1", "result": {"output": KEPT}}])),
    "what is done": ("open-webui", open_webui(statusHistory=[{"action": "web_search", "query": KEPT}])),
    "what to ask": ("open-webui", open_webui(followUps=[KEPT])),
    "what was found": ("open-webui", open_webui(sources=[{"source": {"name": "s"}, "document": [KEPT]}])),
    "feedback": ("librechat", librechat(feedback={"rating": "thumbsDown", "text": KEPT})),
    "a search": ("librechat", librechat(attachments=[{"type": "web_search", "web_search": {"organic": [{"title": KEPT}]}}])),
    "a query": ("grok-conversations", grok(query=KEPT)),
    "pages": ("grok-conversations", grok(webpage_urls=[KEPT])),
    "a character": ("grok-conversations", grok({"custom_personality": KEPT})),
    "a comment": ("le-chat", {"items": [{"id": "a", "chatId": "c", "role": "user", "content": "x", "reactionComment": KEPT}]}),
    "next": ("perplexity", {"entries": [{"uuid": "e", "query_str": "Why?", "related_queries": [KEPT]}]}),
    "details": ("gemini-takeout", {"header": "Gemini Apps", "title": "Prompted x", "details": [{"name": KEPT}]}),
    "notes": ("lm-studio", lm_studio(notes=[KEPT])),
    "a draft": ("lm-studio", lm_studio(clientInput=KEPT)),
    "searches": ("ai-studio", studio(grounding={"groundingSources": [], "webSearchQueries": [KEPT]})),
    "another way": ("ai-studio", studio(branchChildren=[{"promptId": "prompts/2", "displayName": KEPT}])),
}


@pytest.mark.parametrize("what", ELEMENTS)
def test_what_stands_beside_the_words_is_kept_and_counted(what):
    """It is in the conversation once, and never as somebody's words."""
    shape, element = ELEMENTS[what]
    conversation = imported(Sample(shape, element, "export.json", Members()))
    check_account(conversation)
    assert json.dumps(conversation).count(KEPT) == 1
    blocks = [block for message in conversation["messages"] for block in message["blocks"]]
    assert not any(KEPT in block["text"] for block in blocks if block["kind"] in ("text", "thinking"))


def test_a_thought_stands_below_its_summary():
    """Models whose thoughts are open give both."""
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "In short"}], "content": [{"text": KEPT}]}
    (message,) = imported(Sample("api-answers", responded(thought), "export.json", Members()))["messages"]
    assert [(block["text"], block["summaries"]) for block in message["blocks"]] == [(KEPT, ["In short"])]


def test_what_lm_studio_was_told_may_stand_among_its_settings():
    """Newer versions keep the system prompt there, and the old place is empty."""
    fields = [{"key": "llm.prediction.systemPrompt", "value": KEPT}, None]
    element = lm_studio(systemPrompt="", perChatPredictionConfig={"fields": fields})
    conversation = imported(Sample("lm-studio", element, "export.json", Members()))
    check_account(conversation)
    assert next((said["role"], said["blocks"][0]["text"]) for said in conversation["messages"]) == ("system", KEPT)


def test_a_spoken_note_has_its_title_and_its_words():
    """Both were shown."""
    element = answered({"type": "voice_note", "title": "On tides", "text": KEPT})
    (message,) = imported(Sample("claude", element, "export.json", Members()))["messages"]
    assert message["blocks"][0]["text"] == f"On tides\n\n{KEPT}"


def test_a_file_s_text_in_librechat_is_its_content():
    """What the app read of a file stands in the export; the file is made of it."""
    element = librechat(files=[{"file_id": "f", "filename": "a.pdf", "text": KEPT}])
    (file,) = imported(Sample("librechat", element, "export.json", Members()))["messages"][0]["files"]
    assert (file["name"], file["content"]) == ("a.pdf", KEPT.encode())


@pytest.mark.parametrize(
    ("name", "export"),
    [
        (
            "chatbot-ui",
            {"version": 4, "history": [{"id": "a", "messages": [ASKED]}] * 2, "prompts": [{"name": "n", "content": KEPT}]},
        ),
        ("grok", {"conversations": [grok()] * 2, "projects": [{"name": "n", "instructions": KEPT}], "tasks": []}),
    ],
)
def test_what_an_export_holds_beside_its_chats_is_a_page_of_its_own(tmp_path, name, export):
    """It comes once, wherever among the chats, and is no chat itself."""
    (tmp_path / "export.json").write_text(json.dumps(export))
    archive = Archive(tmp_path, Limits())
    importer, members = ConversationImporter(), Members(part.blob for part in archive.parts)
    (part,) = archive.parts
    assert part.shape is not None
    found = []
    for item in read_part(part.blob, part.shape, 1 << 22):
        source = {"file": part.blob.name}
        made = importer.process({"element": item.value, "shape": part.shape.name, "source": source, "members": members})
        found += [message["conversation"] for message in (made if isinstance(made, list) else [made])]
    assert (part.shape.name, sorted(conversation.get("kind", "") for conversation in found)) == (name, ["", "", "account"])
    assert next(one["sections"] for one in found if "kind" in one) == [{"title": "n", "text": KEPT}]
