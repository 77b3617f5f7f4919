/* A transaction that the server has taken back, on a connection that leads nowhere: COMMIT would say that all is well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../app/db/internal.h"

static void taken_back(void **state)
{
	struct arena *arena = arena_open();
	struct db db = { .nerrors = 0 };
	struct db_conn conn = { .db = &db, .mysql = mysql_init(NULL), .mariadb = true, .writing = true };
	unsigned numbers[DB_ERRORS];
	struct error err;

	(void)state;
	error_init(&err, arena);
	assert_false(db_commit(&conn, &err));
	assert_int_equal(err.code, ERR_DEADLOCK);
	assert_string_equal(err.details, "MySQL error 1213");
	assert_int_equal(db_errors(&db, numbers), 1);
	assert_int_equal(numbers[0], 1213);
	assert_int_equal(db_errors(&db, numbers), 0);
	mysql_close(conn.mysql);
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(taken_back) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
