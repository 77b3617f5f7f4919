#!/usr/bin/python3
"""
One client that writes row after row, each with a key of its own until it is told that the row is there, until standard input
ends: then a line of JSON, [[id, sent last, answered], ...] in seconds of the monotonic clock.

    write.py ADDRESS PORT NAME CA TOKEN_FILE FIRST_ID

Sent elsewhere than to NAME's address in the DNS, as curl --connect-to does.
"""
import http.client
import json
import socket
import ssl
import sys
import threading
import time
import uuid


class Connection(http.client.HTTPSConnection):
    def connect(self):
        self.sock = self._context.wrap_socket(socket.create_connection(self.at, self.timeout), server_hostname=self.host)


def main():
    address, port, name, ca, token, first = sys.argv[1:]
    connection = Connection(name, context=ssl.create_default_context(cafile=ca), timeout=60)
    connection.at = (address, int(port))
    ended = threading.Thread(target=sys.stdin.read, daemon=True)
    ended.start()
    headers = {'Authorization': 'Bearer ' + open(token).read().strip(), 'Content-Type': 'application/json', 'Content-Profile': 'wages',
               'Prefer': 'return=minimal'}
    done, ident, key = [], int(first), str(uuid.uuid4())
    while ended.is_alive():
        sent, status = time.monotonic(), 0
        try:
            connection.request('POST', '/rest/v1/salary_history', json.dumps({'id': ident, 'eid': 1, 'salary': 1, 'date': '2026-01-01'}),
                               {**headers, 'Idempotency-Key': key})
            answer = connection.getresponse()
            body, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
        if status == 201:
            done.append((ident, sent, time.monotonic()))
            ident, key = ident + 1, str(uuid.uuid4())
        elif status not in (0, 409, 502, 503, 504):
            sys.exit(f'{status} {body}')
        time.sleep(.02)
    print(json.dumps(done))


if __name__ == '__main__':
    main()
