"""Which proxy is used, by Go's rules (golang.org/x/net/http/httpproxy)."""

import pytest

from jobsmgr.connection.proxy import proxy_for

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("server", "exempt", "direct"),
    [
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://11.1.2.3:6443", "10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", True),
        ("https://10.1.2.3:6443", "10.1.2.3:443", False),
        ("https://10.1.2.3", "10.1.2.3:443", True),
        ("https://[fd00::1]:6443", "fd00::/8", True),
        ("https://[fd00::1]:6443", "[fd00::1]:6443", True),
        ("https://[fd00::1]:6443", "[fd00::1]:443", False),
        ("https://[fd00::1]:6443", "fd00::1", True),
        ("https://api.example.com", "example.com", True),
        ("https://example.com", "example.com", True),
        ("https://api.example.com", ".example.com", True),
        ("https://example.com", ".example.com", False),
        ("https://api.example.com", "*.example.com", True),
        ("https://example.com", "*.example.com", False),
        ("https://notexample.com", "example.com", False),
        ("https://api.example.com:6443", "example.com:6443", True),
        ("https://api.example.com:6443", "example.com:443", False),
        ("https://API.example.com", "other, API.Example.COM ,", True),
        ("https://anything", "*", True),
        ("https://10.1.2.3", "1.2.3", False),
        ("https://10.1.2.3", "nonsense/99", False),
        ("https://localhost:6443", "", True),
        ("https://127.0.0.1:6443", "", True),
        ("https://127.8.0.1:6443", "", True),
        ("https://[::1]:6443", "", True),
        ("https://10.1.2.3", "", False),
    ],
)
def test_no_proxy_exempts(server: str, exempt: str, direct: bool) -> None:
    found = proxy_for(server, {"HTTPS_PROXY": PROXY, "NO_PROXY": exempt})
    assert found == ("" if direct else PROXY)


def test_each_scheme_has_its_proxy_and_small_letters_count_more() -> None:
    environment = {"HTTPS_PROXY": "http://upper", "https_proxy": "https://lower", "HTTP_PROXY": "plain:80"}
    assert proxy_for("https://a", environment) == "https://lower"
    assert proxy_for("http://a", environment) == "http://plain:80"
    assert proxy_for("https://a", {"HTTP_PROXY": "http://plain"}) == ""
