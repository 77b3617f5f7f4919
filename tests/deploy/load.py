#!/usr/bin/python3
"""
Constant load on one HTTPS server, until standard input ends: then a line of JSON with what was seen.

    load.py ADDRESS PORT NAME CA [--threads N] [--path P] [--token-file F] [--at-least N] [--pause SECONDS]

Each thread keeps its connection, as clients do. A request counts once, with the status it ends with. A connection that the
server has closed in good order while it was idle, before a byte of an answer, is opened again (RFC 9112 section 9.3.1) and
counted under "reopened"; whatever else goes wrong is a failure.
"""
import argparse
import collections
import json
import socket
import ssl
import sys
import threading
import time


class Client(threading.Thread):
    def __init__(self, options, request):
        super().__init__(daemon=True)
        self.options, self.request = options, request
        self.context = ssl.create_default_context(cafile=options.ca)
        self.sock = None
        self.fresh = True
        self.seen = collections.Counter()
        self.reopened = 0
        self.slowest = 0.0
        self.failures = []

    def connect(self):
        raw = socket.create_connection((self.options.address, self.options.port), timeout=30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self.context.wrap_socket(raw, server_hostname=self.options.name)
        self.buffer = b''
        self.fresh = True

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def read_head(self):
        while b'\r\n\r\n' not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionResetError('closed' + (' within an answer' if self.buffer else ''))
            self.buffer += more
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        return head

    def read_exactly(self, n):
        while len(self.buffer) < n:
            self.fill()
        body, self.buffer = self.buffer[:n], self.buffer[n:]
        return body

    def read_line(self):
        while b'\r\n' not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b'\r\n', 1)
        return line

    def fill(self):
        more = self.sock.recv(65536)
        if not more:
            raise ConnectionResetError('closed within an answer')
        self.buffer += more

    def once(self):
        self.sock.sendall(self.request)
        head = self.read_head().decode('latin-1').lower().split('\r\n')
        headers = dict(line.split(': ', 1) for line in head[1:] if ': ' in line)
        if headers.get('transfer-encoding') == 'chunked':
            while (size := int(self.read_line(), 16)):
                self.read_exactly(size + 2)
            self.read_exactly(2)
        else:
            self.read_exactly(int(headers.get('content-length', 0)))
        self.fresh = False
        if headers.get('connection') == 'close':
            self.close()
        return int(head[0].split()[1])

    def answer(self):
        while True:
            if not self.sock:
                self.connect()
            try:
                return self.once()
            except (ConnectionResetError, BrokenPipeError, ssl.SSLError, ssl.SSLEOFError) as error:
                idle = not self.fresh and not self.buffer and 'within' not in str(error)
                self.close()
                if not idle:
                    raise
                self.reopened += 1

    def run(self):
        while not stop.is_set():
            begun = time.monotonic()
            try:
                status = self.answer()
            except (OSError, ValueError) as error:
                status = type(error).__name__
                self.failures.append(f'{time.strftime("%H:%M:%S")} {error!r}')
                self.close()
            self.seen[str(status)] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(self.options.pause if not enough.is_set() else max(self.options.pause, SLOW))


# Once there were enough requests they go on, but leave the processors to what they wait for.
SLOW = 0.01
stop, enough = threading.Event(), threading.Event()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('address')
    parser.add_argument('port', type=int)
    parser.add_argument('name')
    parser.add_argument('ca')
    parser.add_argument('--threads', type=int, default=6)
    parser.add_argument('--path', default='/rest/v1/fire_department?limit=1')
    parser.add_argument('--token-file')
    parser.add_argument('--at-least', type=int, default=0)
    parser.add_argument('--pause', type=float, default=0)
    options = parser.parse_args()
    headers = f'GET {options.path} HTTP/1.1\r\nHost: {options.name}\r\nAccept-Profile: incidents\r\n'
    if options.token_file:
        headers += f'Authorization: Bearer {open(options.token_file).read().strip()}\r\n'
    clients = [Client(options, (headers + '\r\n').encode()) for _ in range(options.threads)]
    for client in clients:
        client.start()
    ended = threading.Thread(target=sys.stdin.read, daemon=True)
    ended.start()
    while ended.is_alive() or not enough.is_set():
        if sum(sum(c.seen.values()) for c in clients) >= options.at_least:
            enough.set()
        time.sleep(0.1)
    stop.set()
    for client in clients:
        client.join(40)
    seen = sum((c.seen for c in clients), collections.Counter())
    print(json.dumps({'requests': sum(seen.values()), 'failed': sum(n for s, n in seen.items() if s != '200'),
                      'statuses': seen, 'reopened': sum(c.reopened for c in clients),
                      'slowest': round(max(c.slowest for c in clients), 3),
                      'failures': [f for c in clients for f in c.failures][:5]}))


if __name__ == '__main__':
    main()
