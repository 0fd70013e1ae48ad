"""The files for containers and a balancer: what they name exists, and their limits go together."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml
from delivering import make_home, running

from transmissions.cli import parser_of
from transmissions.delivery.connection import Pace

DEPLOY = Path(__file__).resolve().parents[2] / "configs" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
WORKER = COMPOSE["services"]["worker-1"]
NGINX = re.sub(r"#.*", "", (DEPLOY / "nginx.conf").read_text())


def instruction(name):
    """Return the last instruction of a name in the Dockerfile."""
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    return next(line.partition(" ")[2].strip() for line in reversed(lines) if line.startswith(f"{name} "))


def options(*words):
    """Return the options of `trans serve` that words are."""
    entry = json.loads(instruction("ENTRYPOINT"))
    assert entry[:2] == ["trans", "serve"]
    return parser_of("serve").parse_args([*entry[2:], *words])


def seconds(text):
    """Return a time of nginx or compose in seconds."""
    return int(re.fullmatch(r"(\d+)s", text)[1])


def test_pf10_sc04_a_worker_has_the_limits_of_a_large_machine():
    """8 processors and 16 GiB, half of them reserved."""
    assert WORKER["deploy"]["resources"] == {
        "limits": {"cpus": "8", "memory": "16G"},
        "reservations": {"cpus": "4", "memory": "8G"},
    }


def test_pf11_nothing_is_claimed_that_nobody_can_measure():
    """Neither where it is described nor in what it shows."""
    root = DEPLOY.parents[1]
    told = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "transmissions/delivery/static").iterdir()]
    assert len(told) > 10
    claims = re.compile(r"zero[- ]copy|unlimited (connections|scale)", re.IGNORECASE)
    assert [path.name for path in told if claims.search(path.read_text("utf-8"))] == []


def test_the_command_of_the_image_is_one():
    """By itself, and with what the compose file says."""
    alone, composed = options(*json.loads(instruction("CMD"))), options(*WORKER["command"])
    assert (alone.host, alone.port, composed.concurrent) == ("0.0.0.0", 8080, 1000)
    assert alone.token_file == composed.token_file == f"/run/secrets/{WORKER['secrets'][0]}"
    entry = json.loads(instruction("ENTRYPOINT"))
    shown = subprocess.run([sys.executable, "-P", "-m", "transmissions", *entry[1:], "--help"], capture_output=True, timeout=60)
    assert shown.returncode == 0


def test_a_worker_may_do_little_and_write_nowhere_but_where_it_must():
    """No root, no capabilities, a root folder to read, two folders in memory for what a run writes."""
    assert WORKER["user"] == instruction("USER") == "10001:10001"
    assert WORKER["read_only"]
    assert WORKER["cap_drop"] == ["ALL"]
    assert [place.partition(":")[0] for place in WORKER["tmpfs"]] == ["/tmp", options().output]


def test_the_token_is_in_a_file_and_nowhere_else():
    """Neither in the environment nor in a command."""
    assert COMPOSE["secrets"] == {"transmissions_token": {"file": "./token"}}
    assert not any("environment" in service for service in COMPOSE["services"].values())
    assert "TRANS_TOKEN" not in (DEPLOY / "Dockerfile").read_text()


def test_a_container_is_not_killed_before_its_server_has_ended():
    """Runs have 10 s to end, are cancelled, and then answers have their own time; it is given more."""
    timeout = options(*WORKER["command"]).timeout or 60
    assert seconds(WORKER["stop_grace_period"]) >= 20 + timeout + 5
    assert instruction("STOPSIGNAL") == "SIGTERM"


def test_gh10_the_health_check_asks_a_server_that_lives(tmp_path, monkeypatch):
    """Every 30 s, with 5 s for the answer, and 3 failures."""
    make_home(tmp_path, monkeypatch)
    check = instruction("HEALTHCHECK")
    assert check.startswith("--interval=30s --timeout=5s --start-period=20s --retries=3")
    command = json.loads(check[check.index("[") :])
    with running("numbers") as server:
        asking = command[-1].replace("127.0.0.1:8080", server.url.partition("//")[2])
        assert asking != command[-1]
        assert subprocess.run([sys.executable, *command[1:-1], asking], timeout=30).returncode == 0
        gone = [sys.executable, *command[1:-1], asking.replace("healthz", "nothing")]
        assert subprocess.run(gone, timeout=30, capture_output=True).returncode != 0


def test_what_is_copied_into_the_image_is_there():
    """And is not kept from it."""
    root = DEPLOY.parents[1]
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for words in copied for name in shlex.split(words)}
    assert names == kept
    assert all((root / name).exists() for name in names)


def test_sc02_the_balancer_goes_by_the_session_in_query_header_or_cookie():
    """In this order; what belongs to none goes anywhere."""
    maps = {target: (source, other) for source, target, other in re.findall(r'map \$(\w+) \$(\w+) \{ "" \$(\w+);', NGINX)}
    chain, name = [], re.search(r"hash \$(\w+) consistent;", NGINX)[1]
    while name in maps:
        source, name = maps[name]
        chain.append(source)
    assert chain == ["arg_session_id", "http_x_session_id", "cookie_session_id"]
    assert name == "request_id"


def test_the_balancer_gives_no_value_to_what_nginx_knows_by_itself():
    """It refuses to start then; what a header is set to is known."""
    given = set(re.findall(r"map \$\w+ \$(\w+) \{", NGINX))
    known = {
        "connection",
        "connections_active",
        "host",
        "request_id",
        "uri",
        "status",
        "remote_addr",
        "server_name",
        "upstream_addr",
    }
    assert given.isdisjoint(known)
    used = set(re.findall(r"proxy_set_header \w+ \$(\w+);", NGINX))
    assert {name for name in used if not name.startswith(("http_", "arg_", "cookie_"))} <= given | known


def test_the_balancer_holds_nothing_back_and_outlasts_silence():
    """Its times are longer than a heartbeat; it knows the workers of the compose file."""
    told = dict(re.findall(r"^\s*(proxy_\w+|gzip) ([^;{]+);", NGINX, re.MULTILINE))
    assert (told["proxy_buffering"], told["gzip"], told["proxy_http_version"]) == ("off", "off", "1.1")
    assert seconds(told["proxy_read_timeout"]) > 2 * Pace().heartbeat
    workers = re.findall(r"server (worker-\d):8080", NGINX)
    assert set(workers) == set(COMPOSE["services"]) - {"balancer"}
    assert set(workers) <= set(options(*WORKER["command"]).allow_host)
    assert NGINX.count("{") == NGINX.count("}")


def test_prometheus_scrapes_every_worker_with_its_token():
    """And reads the rules that are made from the metrics."""
    told = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    [job] = told["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"{name}:8080" for name in COMPOSE["services"] if name != "balancer"]
    assert job["authorization"]["credentials_file"] == options(*WORKER["command"]).token_file
    assert (DEPLOY.parent / "observability" / told["rule_files"][0]).exists()
