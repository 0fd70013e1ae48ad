from transmissions.processors.arrivals import OLDER, Arrival, Arrivals


def test_an_arrival_is_known_however_many_came_after_it():
    """A duplicate, an older version and a twin in the same file are told apart, with half a surrogate in the names too."""
    arrivals = Arrivals()
    for number in range(600):
        arrivals.note(Arrival(f"claude:{number}", "2026-02-02", f"d{number}", "file \udcff", page="page \udcff"))
    for key in ("claude:0", "claude:599"):
        digest = key.replace("claude:", "d")
        assert arrivals.judge(Arrival(key, "2026-02-02", digest, "other"))[1] == "skipped: duplicate"
        assert arrivals.judge(Arrival(key, "2026-01-01", "new", "other"))[1] == OLDER
        newer, outcome = arrivals.judge(Arrival(key, "2026-03-03", "new", "other"))
        assert (outcome, newer.page, newer.digest) == ("", "page \udcff", f"new {digest}")
        twin, outcome = arrivals.judge(Arrival(key, "2026-03-03", "new", "file \udcff"))
        assert (outcome, twin.key, twin.page) == ("", f"{key}#2", "")
