"""Signatures of webhooks, and where one may go: names, addresses, and nothing else (security.md, 38)."""

from __future__ import annotations

from base64 import b64decode

import pytest

from chat_server.domain.webhooks import Hosts, check_rule, is_of_the_world, is_signed, sign, written

NOW = 1_614_265_330_000
SECRET = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"test": 2432232314}'
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
GOOD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_of_standard_webhooks() -> None:
    assert written(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert sign(SECRET, ID, "1614265330", BODY) == GOOD
    assert is_signed([b"another", SECRET], ID, "1614265330", BODY, f"v2,x {GOOD}", NOW)


@pytest.mark.parametrize(
    ("change"),
    [
        {"id": "msg_other"},
        {"id": ""},
        {"id": "a b"},
        {"timestamp": "1614265331"},
        {"timestamp": ""},
        {"timestamp": "-1"},
        {"timestamp": "1614265330.0"},
        {"timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"timestamp": "9" * 40},
        {"body": BODY + b" "},
        {"signatures": ""},
        {"signatures": GOOD.removeprefix("v1,")},
        {"signatures": GOOD.lower()},
        {"signatures": "é"},
        {"signatures": " ".join(["v1,x"] * 10 + [GOOD])},
        {"now": NOW + 301_000},
        {"now": NOW - 301_000},
        {"secrets": [b"another"]},
        {"secrets": []},
    ],
)
def test_whatever_differs_is_not_signed(change: dict[str, object]) -> None:
    asked: dict[str, object] = {
        "secrets": [SECRET], "id": ID, "timestamp": "1614265330", "body": BODY, "signatures": GOOD, "now": NOW,
    }  # fmt: skip
    assert is_signed(**asked)  # type: ignore[arg-type]
    assert not is_signed(**{**asked, **change})  # type: ignore[arg-type]


HOSTS = Hosts(("hooks.city.example", "*.apps.example", "soft.example:8443", "[2001:db8::1]", "192.0.2.7"))


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.city.example/renraku?key=a%20b&c=d", "hooks.city.example", "/renraku?key=a%20b&c=d"),
        ("https://hooks.city.example", "hooks.city.example", "/"),
        ("https://hooks.city.example:443/", "hooks.city.example", "/"),
        ("https://a.b.apps.example/x", "a.b.apps.example", "/x"),
        ("https://soft.example:8443/x", "soft.example:8443", "/x"),
        ("https://[2001:db8::1]/x", "[2001:db8::1]", "/x"),
        ("https://192.0.2.7/x", "192.0.2.7", "/x"),
    ],
)
def test_listed_hosts_are_gone_to(url: str, authority: str, path: str) -> None:
    target = HOSTS.target(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.city.example/",  # no TLS
        "https://other.example/",
        "https://apps.example/",  # the wildcard is for what is below
        "https://evilapps.example/",
        "https://hooks.city.example.evil.example/",
        "https://hooks.city.example:8443/",  # another port
        "https://soft.example/",
        "https://user@hooks.city.example/",
        "https://hooks.city.example@evil.example/",
        "https://evil.example\\@hooks.city.example/",
        "https://hooks.city.example#@evil.example/",
        "https://hooks.city.example/#x",
        "https://hooks.city.example./",
        "https://HOOKS.city.example/",
        "https://hooks。city.example/",
        "https://hooks.city.example/ x",
        "https://hooks.city.example/\r\nHost: evil",
        "https://hooks.city.example/道路",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1%25lo]/",
        "https://[::ffff:127.0.0.1]/",
        "https:/hooks.city.example/",
        "//hooks.city.example/",
        "ftp://hooks.city.example/",
        "file:///etc/passwd",
        "https://hooks.city.example:0/",
        "https://hooks.city.example:99999/",
        "https://hooks.city.example/" + "x" * 1_000,
        "",
    ],
)
def test_nothing_else_is_gone_to(url: str) -> None:
    with pytest.raises(ValueError):
        HOSTS.target(url)


def test_numbers_that_a_resolver_takes_for_addresses_are_no_names_though_they_are_listed() -> None:
    for host in ("2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1"):
        with pytest.raises(ValueError):
            Hosts((host,)).target(f"https://{host}/")
        assert check_rule(host) is not None


@pytest.mark.parametrize("address", ["1.1.1.1", "198.41.0.4", "2606:4700::1111", "2400:8500::1"])
def test_addresses_of_the_world(address: str) -> None:
    assert is_of_the_world(address)


INSIDE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "192.0.0.1", "198.18.0.1",
    "192.0.2.1", "::1", "fd00::1", "fc00::1", "2001:db8::1",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "169.254.169.254", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",  # noqa: S104
    "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:1.1.1.1", "64:ff9b::7f00:1", "64:ff9b::101:101",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:0101:0101::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE + NEVER)
def test_addresses_of_the_inside_are_not_dialled(address: str) -> None:
    assert not is_of_the_world(address)
    assert not HOSTS.may_dial(HOSTS.target("https://hooks.city.example/"), address)


def test_a_private_host_may_be_inside_but_not_just_anything() -> None:
    hosts = Hosts(("hooks.city.example", "other.example"), ("hooks.city.example",))
    inside = hosts.target("https://hooks.city.example/")
    assert [address for address in INSIDE if not hosts.may_dial(inside, address)] == []
    assert [address for address in NEVER if hosts.may_dial(inside, address)] == []
    assert not hosts.may_dial(hosts.target("https://other.example/"), "10.0.0.1")


def test_plain_http_goes_to_this_machine_alone() -> None:
    hosts = Hosts(("hooks.city.example",), ("hooks.city.example",), plain=True)
    target = hosts.target("http://hooks.city.example/")
    assert [address for address in ("127.0.0.1", "::1", "10.0.0.1", "1.1.1.1") if hosts.may_dial(target, address)] == [
        "127.0.0.1",
        "::1",
    ]


@pytest.mark.parametrize(
    "rule", ["*", "*.", "https://a.example", "A.example", "a.example:0", "a.example:x", "a..example", ""]
)
def test_rules_that_are_none_are_refused(rule: str) -> None:
    assert check_rule(rule) is not None


@pytest.mark.parametrize(
    "rule", ["a.example", "*.a.example", "a.example:8443", "localhost", "192.0.2.7", "[2001:db8::1]:8443"]
)
def test_rules(rule: str) -> None:
    assert check_rule(rule) is None
