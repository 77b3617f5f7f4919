"""Three nodes of Galera behind one instance: nodes die, writes clash, too few are left."""
import json
import threading
import time
import uuid

import pytest

from harness import Http, wait_until
from test_replica import CALM, PATIENCE, acknowledged, again_after, go_on, rows, writing


@pytest.fixture(scope='module')
def one(cluster):
    """All workers at the first node, and further down the list when it goes."""
    return cluster.variant({'db-host': cluster.server.hosts(0, 1, 2), **CALM}, workers=4)


ADD = 'UPDATE spec.s_count SET n = n + 1 WHERE id = 1'


@pytest.mark.parametrize('kind, body', [
    ('PROCEDURE spec.s_add()', ADD),
    ('PROCEDURE spec.s_add_and_read()', f'BEGIN {ADD}; DO SLEEP(.003); SELECT COUNT(*) AS n FROM spec.projects; END'),
    ('FUNCTION spec.s_added() RETURNS INT', f'BEGIN {ADD}; DO SLEEP(.003); RETURN (SELECT COUNT(*) FROM spec.projects); END'),
], ids=['writes', 'writes and reads', 'function'])
def test_clashes_of_two_nodes_are_tried_again_as_a_whole(cluster, kind, body):
    """
    Another node's write is found at COMMIT: 1213, or, while something is read before it, by the transaction's being gone. Each call
    that was answered well has counted once, and so it is where all of that happens within the call.
    """
    what, name = kind.split('(')[0].split(' spec.')
    cluster.sql('CREATE OR REPLACE TABLE spec.s_count (id INT PRIMARY KEY, n INT NOT NULL)')
    cluster.sql('INSERT INTO spec.s_count VALUES (1, 0)')
    cluster.sql(f'CREATE {kind} MODIFIES SQL DATA {body}')
    cluster.sql(f'GRANT EXECUTE ON {what} spec.{name} TO service_role')
    server = cluster.server
    instances = [cluster.variant({'db-host': server.hosts(i), **CALM}) for i in (0, 1)]

    def call(send):
        return send('POST', f'/rest/v1/rpc/{name}', {'Content-Type': 'application/json'}, '{}', cluster.token('service_role')).status
    assert all(wait_until(lambda i=i: call(i.rq) in (200, 204), PATIENCE) for i in instances)

    def counts():
        """Of each node, when it has done all that any did."""
        return [node.sql('SET STATEMENT wsrep_sync_wait = 15 FOR SELECT n FROM spec.s_count')[0][0] for node in server.nodes]
    assert counts() == [2, 2, 2]
    statuses = []

    def add(instance):
        http = Http(instance.url, instance.ca)
        good = 0
        for _ in range(3000):
            if good < 150:
                status = call(http.request)
                statuses.append(status)
                good += status in (200, 204)
        http.close()
    threads = [threading.Thread(target=add, args=(i,)) for i in instances]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    good = statuses.count(204) + statuses.count(200)
    assert set(statuses) <= {200, 204, 503} and good == 300, statuses
    assert counts() == [good + 2] * 3
    errors = ''.join(i.rq('GET', '/metrics').text for i in instances)
    print('deadlocks met:', [x for x in errors.splitlines() if 'errno="1213"' in x], 'answered well:', good)


def test_a_key_stops_a_repetition_at_another_node(cluster):
    headers = {'Content-Type': 'application/json', 'Idempotency-Key': str(uuid.uuid4())}
    instances = [cluster.variant({'db-host': cluster.server.hosts(i), **CALM}) for i in (0, 1)]

    def send(instance):
        return instance.rq('POST', '/rest/v1/w_one', headers, '{"id":77}', cluster.token('service_role'))
    assert wait_until(lambda: send(instances[0]).status == 201, PATIENCE)
    assert wait_until(lambda: send(instances[1]).headers.get('Idempotency-Replayed') == 'true', PATIENCE)
    assert send(instances[1]).status == 201


def test_a_node_dies_and_nothing_is_lost(cluster, one, capsys):
    server = cluster.server
    with writing(cluster, one, 4) as writers:
        go_on(writers)
        server.nodes[0].kill()
        killed = time.monotonic()
        go_on(writers)
    for node in server.nodes[1:]:
        assert wait_until(lambda n=node: not acknowledged(writers) - rows(n), PATIENCE)
    with capsys.disabled():
        print(f'\nwrites again {again_after(writers, killed):.1f} s after a node was killed; {len(acknowledged(writers))} acknowledged, 0 lost')


def test_reads_and_writes_without_a_majority(cluster, one):
    """The last node of three is no cluster any more: 1047, and 503 with Retry-After; back with a second node."""
    server = cluster.server
    assert one.get('/projects?select=id').status == 200
    for node in server.nodes[:2]:
        if node.process.poll() is None:
            node.kill()
    assert wait_until(lambda: server.status(server.nodes[2], 'wsrep_cluster_status') == 'non-Primary', PATIENCE)

    def refused(answer):
        return answer.status == 503 and answer.headers['Retry-After'] and answer.json()['code'] == 'PGRST001'
    assert wait_until(lambda: refused(one.get('/projects?select=id')), PATIENCE)
    for _ in range(8):
        assert refused(one.get('/projects?select=id'))
        answer = one.rq('POST', '/rest/v1/w_one', {'Content-Type': 'application/json'}, '{"id":5}', cluster.token('service_role'))
        assert refused(answer) and answer.headers['Rowgate-Outcome'] == 'not-applied'
    assert one.rq('GET', '/health/ready').status == 503
    server.nodes[2].local("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
    assert wait_until(lambda: one.get('/projects?select=id').status == 200, PATIENCE)
    assert wait_until(lambda: one.rq('POST', '/rest/v1/w_one', {'Content-Type': 'application/json'}, json.dumps({'id': 6}),
                                     cluster.token('service_role')).status in (201, 409), PATIENCE)

