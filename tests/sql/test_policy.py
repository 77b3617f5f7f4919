"""rowgate.policy: who may read it, and the procedure that tries an expression."""
import pymysql
import pytest

from conftest import run

DENIED = {1044, 1142, 1370}


def fault(connection, expression, table='employee_directory'):
    run(connection, 'CALL rowgate.policy_check(%s, %s, %s, @fault)', 'wages', table, expression)
    return run(connection, 'SELECT @fault')[0][0]


@pytest.mark.parametrize('role', ['anon', 'authenticated', 'service_role', 'hr', 'wages_analyst', 'dispatcher', 'manager', 'employee'])
def test_no_role_sees_policies(database, role):
    connection = database.as_role(role)
    for statement in ('SELECT 1 FROM rowgate.policy', "DELETE FROM rowgate.policy", "CALL rowgate.policy_check('a', 'b', 'c', @f)",
                      "INSERT INTO rowgate.policy (schema_name, table_name, role, name) VALUES ('a', 'b', 'c', 'd')"):
        with pytest.raises(pymysql.err.Error) as caught:
            run(connection, statement)
        assert caught.value.args[0] in DENIED, statement


def test_the_catalogue_account_reads_and_writes_nothing(database):
    connection = database.catalogue()
    assert run(connection, 'SELECT COUNT(*) FROM rowgate.policy')[0][0] > 10
    for statement in ("DELETE FROM rowgate.policy", "UPDATE rowgate.policy SET using_expression = 'TRUE'"):
        with pytest.raises(pymysql.err.Error) as caught:
            run(connection, statement)
        assert caught.value.args[0] in DENIED


@pytest.mark.parametrize('expression', ['eid = ?', 'TRUE', 'EXISTS (SELECT 1 FROM wages.salary_history AS s WHERE s.eid = employee_directory.eid)',
                                        'manager = (SELECT name FROM wages.employee_directory WHERE eid = ?)', "name = 'a)b'"])
def test_good_expressions(database, expression):
    assert fault(database.catalogue(), expression) is None


@pytest.mark.parametrize('expression', ['no_such = 1', 'eid =', 'COUNT(*) > 1', 'eid IN (SELECT x FROM wages.no_such)',
                                        'no_such_function(eid)', 'salary_history.eid = 1'])
def test_bad_expressions(database, expression):
    assert fault(database.catalogue(), expression)


def test_an_expression_is_tried_and_not_run(database, admin):
    run(admin, 'CREATE TABLE rowgate.tried (n INT)')
    run(admin, "CREATE FUNCTION rowgate.try_me() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO rowgate.tried VALUES (1); RETURN 1; END")
    try:
        assert fault(database.catalogue(), 'rowgate.try_me() = 1') is None
        assert fault(database.catalogue(), '(SELECT rowgate.try_me()) = 1') is None
        assert run(admin, 'SELECT COUNT(*) FROM rowgate.tried') == [(0,)]
    finally:
        run(admin, 'DROP FUNCTION rowgate.try_me')
        run(admin, 'DROP TABLE rowgate.tried')


def test_wages(admin):
    """Every table of wages has policies, and each role with a grant on it one."""
    assert run(admin, "SELECT table_name, GROUP_CONCAT(DISTINCT role ORDER BY role) FROM rowgate.policy WHERE schema_name = 'wages'"
                      " GROUP BY table_name ORDER BY 1") == [
        ('compensation', 'employee,hr,manager,service_role,wages_analyst'),
        ('employee_directory', 'authenticated,employee,hr,manager,service_role,wages_analyst'),
        ('salary_history', 'employee,hr,manager,service_role,wages_analyst')]
