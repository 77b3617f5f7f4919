"""dialect.md section 12: rights are MySQL's grants to the token's role."""
import pytest

from harness import assert_rows, wait_until

ONE = [{'id': 1, 'secret': 'hidden', 'client_id': 1}]


def test_anonymous_may_not(get):
    response = get('/private_things')
    assert response.error() == (401, '42501')
    assert response.headers['WWW-Authenticate'] == 'Bearer'
    assert 'SELECT' not in response.text.replace('SELECT command', '') and 'authenticator' not in response.text


def test_a_token_without_the_grant(stack):
    assert stack.get('/private_things', token=stack.token('authenticated')).error() == (403, '42501')


def test_with_the_grant(stack):
    assert_rows(stack.get('/private_things', token=stack.token('spec_reader')), ONE)
    assert_rows(stack.get('/private_things', token=stack.service_key), ONE)


def test_each_request_has_its_own_role(stack):
    """Alternating roles over all workers: no request has the rights of the one before."""
    reader, other = stack.token('spec_reader'), stack.token('authenticated')
    for _ in range(12):
        assert stack.get('/private_things', token=reader).status == 200
        assert stack.get('/private_things').error() == (401, '42501')
        assert stack.get('/private_things', token=other).error() == (403, '42501')


def test_column_grants(stack):
    get = stack.get
    assert_rows(get('/private_columns?select=id,open_text'), [{'id': 1, 'open_text': 'open'}])
    assert get('/private_columns').error() == (401, '42501')
    assert get('/private_columns?select=closed_text').error() == (401, '42501')
    assert get('/private_columns?select=id&closed_text=eq.closed').error() == (401, '42501')
    assert get('/private_columns?select=id&order=closed_text').error() == (401, '42501')
    assert get('/private_columns?select=closed_text.max()').error() == (401, '42501')
    assert get('/private_columns?select=id', {'Prefer': 'count=exact'}).headers['Content-Range'] == '0-0/1'
    assert_rows(get('/private_columns', token=stack.token('spec_reader')), [{'id': 1, 'open_text': 'open', 'closed_text': 'closed'}])


def test_embeds_need_the_grant(stack):
    """Whichever way a forbidden table is reached."""
    for path in ('/clients?select=id,private_things(secret)', '/clients?select=id,private_things!inner()',
                 '/clients?select=id,private_things()&private_things=not.is.null', '/clients?select=...private_things(secret)',
                 '/clients?select=id,private_things(count())'):
        assert stack.get(path).error() == (401, '42501'), path
    assert_rows(stack.get('/clients?select=id,private_things(secret)&id=eq.1', token=stack.token('spec_reader')),
                [{'id': 1, 'private_things': [{'secret': 'hidden'}]}])


def test_views(stack):
    """A view with its definer's rights opens what it shows; one with its reader's does not."""
    assert_rows(stack.get('/window_on_private'), [{'id': 1}])
    assert stack.get('/invoker_on_private').error()[1] in ('42501',)


@pytest.mark.parametrize('role', ['no_such_role', 'spec_stray', 'root', 'authenticator', 'rowgate_catalogue', '', "anon' OR '1", 'anon`',
                                  'NONE', 'ALL', 'DEFAULT', 'anon@%', 'x' * 200, 'anon, service_role', 'ånon', 'anon\0'])
def test_roles_that_are_not_ours(stack, role):
    response = stack.get('/items', token=stack.token(role))
    assert response.status == 401, response
    assert response.json()['code'] in ('22023', 'PGRST303', 'PGRST301')


def test_unknown_role(stack):
    for role in ('no_such_role', 'spec_stray'):
        assert stack.get('/items', token=stack.token(role)).error() == (401, '22023')


def test_revoke_takes_effect(stack):
    """On the very connection that has just used it."""
    token = stack.token('spec_reader')
    for _ in range(8):
        assert stack.get('/private_things', token=token).status == 200
    stack.sql('REVOKE SELECT ON spec.private_things FROM spec_reader')
    try:
        for _ in range(8):
            assert stack.get('/private_things', token=token).error() == (403, '42501')
    finally:
        stack.sql('GRANT SELECT ON spec.private_things TO spec_reader')
    for _ in range(8):
        assert stack.get('/private_things', token=token).status == 200


def test_a_role_taken_from_the_login(stack):
    token = stack.token('spec_reader')
    assert stack.get('/private_things', token=token).status == 200
    stack.sql("REVOKE spec_reader FROM authenticator@'%'")
    try:
        def refused():
            return all(stack.get('/private_things', token=token).status in (401, 403) for _ in range(8))
        assert wait_until(refused, 15), 'the role is still in use'
        assert wait_until(lambda: stack.get('/private_things', token=token).error() == (401, '22023'), 15)
    finally:
        stack.sql("GRANT spec_reader TO authenticator@'%'")
    assert wait_until(lambda: all(stack.get('/private_things', token=token).status == 200 for _ in range(8)), 15)


def test_the_login_itself_may_nothing(stack):
    """What the workers' login could do without a role: nothing but connect."""
    host = stack.sql("SELECT Host FROM mysql.user WHERE User = 'authenticator'")[0][0]
    grants = ' '.join(row[0] for row in stack.sql(f"SHOW GRANTS FOR authenticator@'{host}'"))
    assert 'SELECT' not in grants and 'ALL PRIVILEGES' not in grants


def test_the_catalogue_account_reads_no_rows(stack):
    host = stack.sql("SELECT Host FROM mysql.user WHERE User = 'rowgate_catalogue'")[0][0]
    grants = [row[0] for row in stack.sql(f"SHOW GRANTS FOR rowgate_catalogue@'{host}'")]
    # what workers must know of revoked tokens is theirs to read, and so are row policies
    ours = ('`mysql`', '`rowgate`.`auth_state`', '`rowgate`.`auth_revocation`', '`rowgate`.`policy`')
    assert not [grant for grant in grants if 'SELECT' in grant and not any(name in grant for name in ours)]


def test_no_secret_reaches_a_client(stack):
    password = (stack.var / 'keys/authenticator-password').read_text().strip()
    for path in ('/private_things', '/nothing', '/items?id=eq.x', '/broken_view', '/texts?cs=match.('):
        text = stack.get(path).text
        assert password not in text and '`' not in text and 'WHERE' not in text


def test_broken_view(get):
    """A view whose table is gone: the client is told, and no more."""
    status, code = get('/broken_view').error()
    assert status in (400, 401, 403, 404) and code in ('42501', '42P01', '42703', 'PGRST205')
