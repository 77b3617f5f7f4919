"""Three members of Group Replication behind one instance: the primary dies, and dies again."""
import time

import pytest

from harness import wait_until
from test_replica import CALM, PATIENCE, Metronome, acknowledged, again_after, go_on, rows, writing


@pytest.fixture(scope='module')
def one(group):
    """As clusters are told, and in an order in which a secondary comes before the primary."""
    return group.variant({'db-host': group.server.hosts(2, 0, 1), **CALM}, workers=4)


def test_writes_go_to_the_primary_alone(group, one):
    for i in range(20):
        assert one.rq('POST', '/rest/v1/w_one', {'Content-Type': 'application/json'}, f'{{"id":{i + 1}}}', group.token('service_role')).status == 201
    for node in group.server.nodes:
        assert wait_until(lambda n=node: len(rows(n)) == 20, PATIENCE)
    group.sql('DELETE FROM spec.w_one')


def test_the_primary_dies_and_nothing_is_lost(group, one, capsys):
    server = group.server
    with writing(group, one, 4) as writers:
        go_on(writers)
        server.a.kill()
        killed = time.monotonic()
        primary = wait_until(server.primary, PATIENCE)
        accepted, metronome = time.monotonic(), Metronome()
        metronome.start()
        go_on(writers)
        metronome.stop.set()
    late = again_after(writers, accepted)
    with capsys.disabled():
        print(f'\nwrites again {late:.2f} s after the new primary accepted, {accepted + late - killed:.1f} s after the old one was killed;'
              f' {len(acknowledged(writers))} acknowledged, {len(acknowledged(writers) - rows(primary))} lost')
    for node in server.nodes[1:]:
        assert wait_until(lambda n=node: not acknowledged(writers) - rows(n), PATIENCE)
    assert late - metronome.still < 5


def test_without_a_majority_nothing_is_written(group, one):
    """The last member of three can commit nothing, and is not said to have."""
    server = group.server
    last = next(node for node in server.nodes[1:] if node is not server.primary())
    server.primary().kill()
    for _ in range(5):
        answer = one.rq('POST', '/rest/v1/w_one', {'Content-Type': 'application/json'}, '{"id":999999999}', group.token('service_role'))
        assert answer.status == 503 and answer.headers['Retry-After'], answer
    assert 999999999 not in rows(last)
