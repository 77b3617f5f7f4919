"""Sign-ins that are slowed down: wrong passwords, and more hashing at once than the pool can bear."""
import concurrent.futures
import time
import uuid

import pytest

import harness
from test_auth_sessions import PASSWORD, login, post, refresh, refused, user  # noqa: F401


@pytest.fixture
def fresh(stack):
    """Buckets of its own."""
    made = stack.variant({'auth-login-attempts': '6', 'auth-hash-share': '100'}, workers=4, fresh=True)
    yield made
    stack.forget(made)


def attempt(on, email, password='wrong one'):
    return post(on, 'token?grant_type=password', {'email': email, 'password': password})


def until_throttled(on, email, most=50):
    for n in range(most):
        answer = attempt(on, email)
        if answer.status == 429:
            return n, answer
        refused(answer, 400, 'invalid_credentials')
    raise AssertionError('never throttled')


def test_an_account_from_one_address(stack, fresh, user):  # noqa: F811
    n, answer = until_throttled(fresh, user['email'])
    assert n == 6
    refused(answer, 429, 'over_request_rate_limit')
    assert 1 <= int(answer.headers['Retry-After']) <= 12
    # The right password does not get around it, and the spelling of the address neither.
    refused(attempt(fresh, user['email'], PASSWORD), 429, 'over_request_rate_limit')
    refused(attempt(fresh, user['email'].upper()), 429, 'over_request_rate_limit')
    # Nor is it for good: after what Retry-After says there is one more.
    time.sleep(int(answer.headers['Retry-After']))
    assert attempt(fresh, user['email'], PASSWORD).status == 200


def test_nobody_is_throttled_like_somebody(fresh):
    n, answer = until_throttled(fresh, 'nobody@example.com')
    assert n == 6 and answer.headers['Retry-After']


def test_right_passwords_cost_nothing(fresh, user):  # noqa: F811
    for _ in range(40):
        login(fresh, user['email'])
    assert until_throttled(fresh, user['email'])[0] == 6


def test_an_address_over_many_accounts(fresh):
    """Password spraying: six times as many as for one account."""
    tried = 0
    while True:
        answer = attempt(fresh, f'{uuid.uuid4().hex}@example.com')
        if answer.status == 429:
            break
        tried += 1
        assert tried < 60
    assert 34 <= tried <= 42


def test_others_are_not_locked_out(stack, fresh, user):  # noqa: F811
    """Who attacks one account does not keep another from signing in, nor the owner's session from being refreshed."""
    session = login(fresh, user['email'])
    until_throttled(fresh, user['email'])
    assert refresh(fresh, session['refresh_token']).status == 200
    login(fresh, stack.env['ROWGATE_ADMIN_EMAIL'], stack.env['ROWGATE_ADMIN_PASSWORD'])


def test_hashing_is_bounded(stack, user):  # noqa: F811
    """At most a share of the workers hash; the others answer 429 at once, and data all the while."""
    few = stack.variant({'auth-login-attempts': '0', 'auth-hash-share': '25', 'auth-hash-cost': '9'}, workers=8,
                        fresh=True)
    slow = f'{uuid.uuid4().hex}@example.com'
    assert stack.rq('POST', '/auth/v1/admin/users', None, {'email': slow}, stack.service_key).status == 200

    def one(i):
        http = harness.Http(few.url, few.ca)
        start = time.monotonic()
        answer = http.request('POST', '/auth/v1/token?grant_type=password', None, {'email': slow, 'password': 'x' * 9})
        return answer.status, answer.headers.get('Retry-After'), time.monotonic() - start
    reads = []
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        busy = [pool.submit(one, i) for i in range(16)]
        while not all(b.done() for b in busy):
            start = time.monotonic()
            assert few.get('/employee_directory?select=name&limit=1', {'Accept-Profile': 'wages'},
                           stack.service_key).status == 200
            reads.append(time.monotonic() - start)
    answers = [b.result() for b in busy]
    statuses = [a[0] for a in answers]
    assert set(statuses) == {400, 429} and statuses.count(429) >= 8, statuses
    assert all(a[1] == '1' for a in answers if a[0] == 429)
    assert len(reads) >= 3
    stack.forget(few)


def test_a_dead_worker_gives_its_slot_back(stack, user):  # noqa: F811
    import os
    import signal
    one = stack.variant({'auth-login-attempts': '0', 'auth-hash-share': '1', 'auth-hash-cost': '5'}, workers=2,
                        fresh=True)
    login(one, user['email'])
    for pid in one.workers():
        os.kill(pid, signal.SIGKILL)
    one.wait_ready()
    assert harness.wait_until(lambda: attempt(one, user['email'], PASSWORD).status == 200, 15)
    stack.forget(one)
