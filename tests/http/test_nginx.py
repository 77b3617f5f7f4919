"""The gateway: what nginx allows, refuses and says by itself, before and after a worker."""
import json
import os
import re
import socket
import ssl
import subprocess
import time

import pytest

SECURITY = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "server": "nginx",
}
KEYS = {"code", "message", "details", "hint"}
BEARER = "Authorization: Bearer "
WAGES = "Accept-Profile: wages"


class Answer:
    def __init__(self, text):
        head, _, self.body = text.partition(b"\r\n\r\n")
        self.lines = head.decode("latin-1").split("\r\n")
        match = re.match(r"HTTP/1\.\d (\d{3}) ?", self.lines[0])
        self.status = int(match[1]) if match else None
        self.headers = {}
        for line in self.lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), []).append(value.strip())

    def error(self):
        """The four keys, in JSON by its type as well."""
        assert self.headers["content-type"] == ["application/json; charset=utf-8"]
        body = json.loads(self.body)
        assert set(body) == KEYS
        return body


@pytest.fixture
def gate(stack):
    return Gate(stack)


class Gate:
    def __init__(self, stack):
        self.ca, self.port = stack.ca, int(stack.url.rpartition(":")[2])
        self.token = stack.env["ROWGATE_SERVICE_KEY"]
        self.var = stack.var

    def connect(self, source=None, context=None):
        context = context or ssl.create_default_context(cafile=self.ca)
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=20,
                                        source_address=(source, 0) if source else None)
        return context.wrap_socket(sock, server_hostname="127.0.0.1")

    def raw(self, data, source=None):
        """Sends bytes as they are; what comes back until nginx closes."""
        with self.connect(source) as sock:
            out = b""
            try:
                sock.sendall(data)
            except (ConnectionError, ssl.SSLError):
                pass  # refused before the end of it: the answer may be there all the same
            try:
                while chunk := sock.recv(65536):
                    out += chunk
            except (ConnectionError, ssl.SSLError):
                pass
        return Answer(out)

    def ask(self, method="GET", path="/", *headers, body=None, source=None):
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""), source)


# ---- TLS ----

@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tls_versions_offered(gate, version):
    context = ssl.create_default_context(cafile=gate.ca)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with gate.connect(context=context) as sock:
        assert sock.version() == version.replace("_", ".")


def refused_by_server(gate, context):
    with pytest.raises(ssl.SSLError) as error:
        gate.connect(context=context)
    return "ALERT" in (error.value.reason or "")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused(gate, version):
    context = ssl.create_default_context(cafile=gate.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    assert refused_by_server(gate, context)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
def test_weak_ciphers_are_refused(gate, cipher):
    context = ssl.create_default_context(cafile=gate.ca)
    context.set_ciphers(cipher + ":@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refused_by_server(gate, context)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_certificate_is_for_this_machine(gate, name):
    context = ssl.create_default_context(cafile=gate.ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", gate.port)) as sock:
        context.wrap_socket(sock, server_hostname=name).close()


def test_certificate_is_not_for_others(gate):
    context = ssl.create_default_context(cafile=gate.ca)
    with socket.create_connection(("127.0.0.1", gate.port)) as sock, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(sock, server_hostname="example.com")


@pytest.mark.parametrize("option,version", [("--http2", "2"), ("--http1.1", "1.1"), ("--http1.0", "1.0")])
def test_http_versions(gate, option, version):
    done = subprocess.run(["curl", "-s", "--noproxy", "*", option, "--cacert", gate.ca, "-o", os.devnull, "-w",
                           "%{http_version} %{http_code}", f"https://127.0.0.1:{gate.port}/health/live"],
                          capture_output=True, text=True)
    assert done.stdout == ("1.1" if version == "1.0" else version) + " 200"


def test_plain_http_on_the_tls_port(gate):
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        out = b""
        while chunk := sock.recv(65536):
            out += chunk
    answer = Answer(out)
    assert answer.status == 400
    assert "TLS" in answer.error()["message"]


# ---- headers on every status ----

BIG = b"x" * (1 << 20) + b"x"
STATUSES = [
    (200, "GET", "/", [], None),
    (200, "GET", "/health/live", [], None),
    (200, "GET", "/health/ready", [], None),
    (200, "GET", "/metrics", [], None),
    (401, "GET", "/rest/v1/compensation", [BEARER + "x.y.z"], None),
    (400, "GET", "/rest/v1/%zz", [], None),
    (404, "GET", "/nothing/here", [], None),
    (404, "GET", "/nothing.html", [], None),
    (404, "GET", "/-/error/404", [], None),
    (404, "POST", "/auth", [], b"{}"),
    (405, "TRACE", "/rest/v1/compensation", [], None),
    (405, "PROPFIND", "/rest/v1/compensation", [], None),
    (405, "FOO", "/rest/v1/compensation.html", [], None),
    (405, "POST", "/", [], b"x"),
    (413, "POST", "/rest/v1/rpc/x", ["Content-Type: application/json", "Content-Length: 1073741825"], None),
    (413, "POST", "/nothing.html", [], BIG),
    (414, "GET", "/rest/v1/x?a=" + "1" * 65536, [], None),
    (414, "GET", "/rest/v1/x?a=" + "1" * 200000, [], None),
    (431, "GET", "/rest/v1/x", ["A: " + "1" * 60000, "B: " + "1" * 60000], None),
    (431, "GET", "/rest/v1/x", ["A: " + "1" * 200000], None),
    (501, "POST", "/rest/v1/rpc/x", ["Transfer-Encoding: other"], None),
]


@pytest.mark.parametrize("status,method,path,headers,body", STATUSES,
                         ids=[f"{s}-{m}-{p[:20]}-{len(p)}-{len(h)}" for s, m, p, h, _ in STATUSES])
def test_every_status_has_its_headers_and_body(gate, status, method, path, headers, body):
    answer = gate.ask(method, path, *headers, body=body)
    assert answer.status == status
    for name, value in SECURITY.items():
        # The pages' own policy is tests/browser's matter.
        if (status, path, name) != (200, "/", "content-security-policy"):
            assert answer.headers.get(name) == [value], name
    assert len(answer.headers["x-request-id"]) == 1
    if status >= 400:
        error = answer.error()
        assert error["code"] and error["message"]


@pytest.mark.parametrize("status,method,path,headers,body", [row for row in STATUSES if row[0] in (404, 414, 431)],
                         ids=lambda v: str(v)[:20])
def test_head_of_an_error_has_no_body(gate, status, method, path, headers, body):
    answer = gate.ask("HEAD", path, *headers, body=body)
    assert answer.status == status
    assert answer.body == b""


@pytest.mark.parametrize("status,method,path,headers", [
    (404, "GET", "/nothing/here", []),
    (405, "PROPFIND", "/rest/v1/compensation", []),
    (413, "POST", "/rest/v1/rpc/x", ["Content-Type: application/json", "Content-Length: 1073741825"]),
    (414, "GET", "/rest/v1/x?a=" + "1" * 65536, []),
    (431, "GET", "/rest/v1/x", ["A: " + "1" * 200000]),
    (401, "GET", "/rest/v1/compensation", [BEARER + "x.y.z"]),
], ids=lambda v: str(v)[:20])
def test_pages_of_other_origins_can_read_why(gate, status, method, path, headers):
    """nginx's own errors as well as the workers': a browser shows no answer that lacks this header."""
    answer = gate.ask(method, path, "Origin: https://app.example", *headers)
    assert (answer.status, answer.headers.get("access-control-allow-origin")) == (status, ["*"])


def test_405_names_the_methods(gate):
    answer = gate.ask("PROPFIND", "/rest/v1/compensation")
    assert answer.headers["allow"] == ["GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"]
    assert answer.error()["code"] == "PGRST117"


@pytest.mark.parametrize("header", [BEARER, "apikey: "])
def test_answers_to_a_token_are_not_stored(gate, header):
    answer = gate.ask("GET", "/rest/v1/compensation?limit=1", WAGES, header + gate.token)
    assert answer.status == 200
    assert answer.headers["cache-control"] == ["no-store"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_methods_reach_a_worker(gate, method):
    assert gate.ask(method, "/rest/v1/compensation?limit=1", WAGES, BEARER + gate.token).status == 200


def test_the_root_without_its_slash(gate):
    with_slash = gate.ask("GET", "/rest/v1/", BEARER + gate.token)
    without = gate.ask("GET", "/rest/v1", BEARER + gate.token)
    assert without.status == with_slash.status
    assert without.headers["content-type"] == with_slash.headers["content-type"]
    assert without.body == with_slash.body


# ---- request id ----

def test_request_ids_differ(gate):
    ids = {gate.ask("GET", path).headers["x-request-id"][0] for path in ["/", "/health/live", "/nope", "/nope"]}
    assert len(ids) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


@pytest.mark.parametrize("path", ["/health/live", "/nope"])
@pytest.mark.parametrize("given,kept", [("abc-1.2_3", True), ("a" * 64, True), ("a" * 65, False), ("a b", False),
                                        ("a\"b", False), ("ä", False), ("", False)])
def test_request_id_of_the_client(gate, path, given, kept):
    answer = gate.ask("GET", path, "X-Request-Id: " + given)
    assert (answer.headers["x-request-id"] == [given]) == kept


# ---- malformed requests ----

HOST = b"Host: x\r\n"
MALFORMED = {
    "binary": (400, b"\x00\x01\x02\r\n\r\n"),
    "lower case method": (400, b"get / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "no slash": (400, b"GET rest HTTP/1.1\r\n" + HOST + b"\r\n"),
    "blank in the path": (400, b"GET /rest/v1/a b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "percent-encoded NUL": (400, b"GET /rest/v1/%00 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "above the root": (400, b"GET /../x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n"),
    "bad host": (400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "HTTP/3.0": (505, b"GET / HTTP/3.0\r\n" + HOST + b"\r\n"),
    "HTTP/x": (400, b"GET / HTTP/x\r\n" + HOST + b"\r\n"),
    "chunked and a length": (400, b"POST /rest/v1/x HTTP/1.1\r\n" + HOST +
                             b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    "chunked twice": (400, b"POST /rest/v1/x HTTP/1.1\r\n" + HOST +
                      b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "chunked in HTTP/1.0": (400, b"POST /rest/v1/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, b"POST /rest/v1/x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "length with sign": (400, b"POST /rest/v1/x HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc"),
    "length of 20 digits": (400, b"POST /rest/v1/x HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 20 + b"\r\n\r\n"),
    "bad chunk": (400, b"POST /rest/v1/rpc/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "folded header": (400, b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n"),
    "NUL in a header": (400, b"GET / HTTP/1.1\r\n" + HOST + b"A: b\0c\r\n\r\n"),
    "blank before the colon": (400, b"GET / HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n"),
}


# Refused from nginx 1.21.1 on; before, nginx took them in a way that cannot smuggle anything to a worker.
LATER = {"blank in the path", "chunked and a length", "chunked in HTTP/1.0", "folded header", "blank before the colon"}


def nginx_version():
    text = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr
    return tuple(map(int, re.search(r"nginx/([\d.]+)", text)[1].split(".")))


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_request(gate, name):
    if name in LATER and nginx_version() < (1, 21, 1):
        pytest.skip("this nginx is laxer")
    status, data = MALFORMED[name]
    answer = gate.raw(data)
    assert answer.status == status
    assert answer.error()["code"] == f"HTTP{status}"
    assert answer.headers["x-content-type-options"] == ["nosniff"]
    assert len(answer.headers["x-request-id"]) == 1


def test_http_0_9_gets_no_data(gate):
    answer = gate.raw(b"GET /rest/v1/compensation?limit=1\r\n\r\n")
    assert answer.status is None
    assert answer.lines[0].startswith('{"code":"HTTP505"')


def test_header_names_with_underscores_are_dropped(gate):
    # As HTTP_ACCEPT_PROFILE both would be the same to a worker.
    answer = gate.ask("GET", "/rest/v1/compensation?limit=1", WAGES, BEARER + gate.token, "Accept_Profile: nowhere")
    assert answer.status == 200
    assert gate.ask("GET", "/rest/v1/compensation", BEARER + gate.token, "Accept-Profile: nowhere").status == 406


# ---- sizes ----

def test_the_longest_url_reaches_a_worker(gate):
    start = "/rest/v1/compensation?select=eid&eid=in.("
    longest = start + "1," * ((61440 - len(start) - 2) // 2) + "1)"
    assert len(longest) in (61439, 61440)
    answer = gate.ask("GET", longest, WAGES, BEARER + gate.token)
    assert answer.status == 200, answer.body[:300]
    assert gate.ask("GET", longest + "&&", WAGES, BEARER + gate.token).status == 414


@pytest.mark.parametrize("url", [30000, 50000, 55000, 59000, 61440])
@pytest.mark.parametrize("header", [100, 5000, 8000, 20000, 40000])
def test_no_mixture_of_url_and_headers_breaks_the_gateway(gate, url, header):
    path = "/rest/v1/compensation?eid=eq." + "1" * (url - 29)
    for name in ("Authorization", "X-Other"):
        answer = gate.ask("GET", path, WAGES, f"{name}: {'a' * header}")
        assert answer.status in (400, 401, 414, 431)
        answer.error()


@pytest.mark.parametrize("number", [100, 190, 3000])
def test_very_many_headers(gate, number):
    """Either nginx has max_headers, or a worker copes."""
    known = "max_headers" in (gate.var / "run/nginx/nginx.conf").read_text()
    answer = gate.ask("GET", "/rest/v1/compensation?limit=1", WAGES, BEARER + gate.token, *[f"H{i}: {i}" for i in range(number)])
    assert answer.status == (431 if known else 200)
    if known:
        answer.error()


def test_a_body_within_the_limit_is_not_refused_by_its_size(gate):
    answer = gate.ask("POST", "/rest/v1/rpc/no_such_routine", BEARER + gate.token, "Content-Type: application/json",
                      body=b'{"a":"' + b"x" * 1000000 + b'"}')
    assert answer.status not in (413, 500, 503)


# ---- who may see what ----

INSIDE = ["/metrics", "/rest/v1/../../metrics", "/%6detrics", "//metrics", "/rest/v1/%2e%2e/%2e%2e/metrics",
          "/metrics?x=1", "/./metrics"]


@pytest.mark.parametrize("path", INSIDE)
def test_metrics_are_for_allowed_addresses(gate, path):
    assert gate.ask("GET", path, source="127.0.0.2").status == 403


def test_metrics_for_an_allowed_address(gate):
    answer = gate.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"][0].startswith("text/plain")
    assert re.search(rb"^rowgate_\w+(\{.*\})? [0-9.e+-]+$", answer.body, re.M)


def test_health_is_for_everybody(gate):
    assert gate.ask("GET", "/health/live", source="127.0.0.2").status == 200
    assert gate.ask("GET", "/health/ready", source="127.0.0.2").status == 200


# ---- compression ----

@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-ndjson"])
def test_compression(gate, accept):
    path = "/rest/v1/compensation"
    plain = gate.ask("GET", path, WAGES, BEARER + gate.token, "Accept: " + accept)
    packed = gate.ask("GET", path, WAGES, BEARER + gate.token, "Accept: " + accept, "Accept-Encoding: gzip")
    assert plain.status == packed.status == 200
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == ["gzip"]
    assert "accept-encoding" in ", ".join(plain.headers["vary"]).lower()
    assert len(packed.body) < len(plain.body) / 2


# ---- slow clients ----

def test_slow_clients_are_let_go_and_hold_no_worker(gate):
    """More of them than workers; each sends a part of a request and then nothing."""
    slow = []
    for number in range(40):
        sock = gate.connect()
        if number % 2:
            sock.sendall(b"GET /rest/v1/compensation HTTP/1.1\r\nHost: x\r\nA")
        else:
            sock.sendall(b"POST /rest/v1/rpc/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        slow.append(sock)
    started = time.monotonic()
    assert gate.ask("GET", "/rest/v1/compensation?limit=1", WAGES, BEARER + gate.token).status == 200
    assert time.monotonic() - started < 2
    for sock in slow:
        sock.settimeout(max(0.1, started + 15 - time.monotonic()))
        try:
            while sock.recv(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass  # reset_timedout_connection; a timeout would be another error and fail the test
        sock.close()


# ---- the log ----

def access_lines(gate):
    return (gate.var / "log/access.log").read_bytes().decode().splitlines()  # strict: a line that is no UTF-8 is no JSON


def test_the_log_is_json_whatever_was_sent(gate):
    mark = "hostile%d" % time.time_ns()
    sent = [f"/rest/v1/%ff{mark}", f"/rest/v1/\xff{mark}", f"/{mark}%22%0a%5c", f"/{mark}\"\\?a"]
    for path in sent:
        gate.ask("GET", path, BEARER + gate.token)
    end = time.monotonic() + 5
    lines = []
    while len(lines) < 3 and time.monotonic() < end:
        time.sleep(0.2)
        lines = [one for one in access_lines(gate) if mark in one]
    assert {json.loads(one)["path"] for one in lines} == {sent[0], sent[2], sent[3].removesuffix("?a")}


def test_the_log_holds_the_request_and_no_secret(gate):
    mark = "canary%d" % time.time_ns()
    gate.ask("GET", f"/rest/v1/compensation?name=eq.{mark}q&apikey={mark}q", BEARER + mark + "t", f"Cookie: {mark}c",
             f"apikey: {mark}k", f"X-Request-Id: {mark}")
    end = time.monotonic() + 5
    line = None
    while not line and time.monotonic() < end:
        time.sleep(0.2)
        line = next((one for one in access_lines(gate) if mark in one), None)
    entry = json.loads(line)
    assert entry["path"] == "/rest/v1/compensation"
    assert entry["status"] == "401" and entry["method"] == "GET" and entry["id"] == mark
    assert entry["remote"] == "127.0.0.1" and entry["tls"].startswith("TLSv1.")
    for log in (gate.var / "log").iterdir():
        text = log.read_text(errors="replace")
        for suffix in "qtck":
            assert mark + suffix not in text, log
