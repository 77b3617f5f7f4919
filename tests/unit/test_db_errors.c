/* MySQL's and MariaDB's numbers as the code and status a client switches on (dialect.md section 13). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "db.h"

static struct arena *arena;

static struct error error_of(unsigned number, const char *sqlstate, const char *text)
{
	struct error err;

	error_init(&err, arena);
	assert_false(db_error(&err, number, sqlstate, text));
	return err;
}

static void numbers(void **state)
{
	static const struct {
		unsigned number;
		const char *sqlstate; /* the server's */
		int status;
		const char *code;
	} rows[] = {
		{ 1062, "23000", 409, "23505" },
		{ 1586, "23000", 409, "23505" },
		{ 1048, "23000", 400, "23502" },
		{ 1364, "HY000", 400, "23502" },
		{ 1451, "23000", 409, "23503" },
		{ 1452, "23000", 409, "23503" },
		{ 1216, "23000", 409, "23503" },
		{ 1217, "23000", 409, "23503" },
		{ 3819, "HY000", 400, "23514" },
		{ 4025, "23000", 400, "23514" },
		{ 3140, "22032", 400, "22P02" },
		{ 3141, "22032", 400, "22P02" },
		{ 1366, "HY000", 400, "22P02" },
		{ 3988, "HY000", 400, "22P02" },
		{ 3854, "HY000", 400, "22P02" },
		{ 1977, "22003", 400, "22P02" },
		{ 3643, "HY000", 400, "22P02" },
		{ 3616, "22S02", 400, "22003" },
		{ 3617, "22S03", 400, "22003" },
		{ 3673, "23000", 400, "23502" },
		{ 4037, "HY000", 400, "22P02" },
		{ 1526, "HY000", 400, "23514" },
		{ 3101, "HY000", 503, "40P01" },
		{ 1020, "HY000", 503, "40P01" },
		{ 1412, "HY000", 503, "40P01" },
		{ 1615, "HY000", 503, "40P01" },
		{ 1461, "42000", 503, "53300" },
		{ 1292, "22007", 400, "22007" },
		{ 1411, "HY000", 400, "22007" },
		{ 1265, "01000", 400, "22P02" },
		{ 1264, "22003", 400, "22003" },
		{ 1690, "22003", 400, "22003" },
		{ 167, "22003", 400, "22003" },
		{ 1406, "22001", 400, "22001" },
		{ 1365, "22012", 400, "22012" },
		{ 1054, "42S22", 400, "42703" },
		{ 1166, "42000", 400, "42703" },
		{ 1146, "42S02", 404, "42P01" },
		{ 1051, "42S02", 404, "42P01" },
		{ 1049, "42000", 404, "3F000" },
		{ 1305, "42000", 404, "42883" },
		{ 1318, "42000", 404, "PGRST202" },
		{ 1064, "42000", 500, "42601" },
		{ 1149, "42000", 500, "42601" },
		{ 1142, "42000", 403, "42501" },
		{ 1143, "42000", 403, "42501" },
		{ 1370, "42000", 403, "42501" },
		{ 1044, "42000", 403, "42501" },
		{ 1227, "42000", 403, "42501" },
		{ 1356, "HY000", 403, "42501" },
		{ 1045, "28000", 503, "PGRST000" },
		{ 1698, "28000", 503, "PGRST000" },
		{ 3530, "HY000", 401, "22023" },
		{ 1959, "OP000", 401, "22023" },
		{ 1205, "HY000", 503, "55P03" },
		{ 1213, "40001", 503, "40P01" },
		{ 1290, "HY000", 503, "25006" },
		{ 1836, "HY000", 503, "25006" },
		{ 1792, "25006", 405, "25006" },
		{ 3024, "HY000", 504, "57014" },
		{ 1969, "70100", 504, "57014" },
		{ 1317, "70100", 504, "57014" },
		{ 1040, "08004", 503, "53300" },
		{ 1203, "42000", 503, "53300" },
		{ 1226, "42000", 503, "53300" },
		{ 2002, "HY000", 503, "PGRST001" },
		{ 2003, "HY000", 503, "PGRST001" },
		{ 2005, "HY000", 503, "PGRST001" },
		{ 2006, "HY000", 503, "PGRST001" },
		{ 2013, "HY000", 503, "PGRST001" },
		{ 2055, "HY000", 503, "PGRST001" },
		{ 2057, "HY000", 503, "PGRST001" },
		{ 0, "00000", 503, "PGRST001" }, /* a fetch that fails without a number: facts.md */
		{ 1153, "08S01", 413, "54000" },
		{ 1298, "HY000", 400, "22023" },
		{ 1191, "HY000", 400, "42704" },
		{ 128, "HY000", 400, "22023" },
		{ 209, "HY000", 400, "22023" },
		{ 1390, "HY000", 413, "54000" },
		{ 1139, "42000", 400, "2201B" },
		{ 3685, "HY000", 400, "2201B" },
		{ 3692, "HY000", 400, "2201B" },
		{ 3699, "HY000", 400, "2201B" },
		{ 1288, "HY000", 405, "55000" },
		{ 1348, "HY000", 405, "55000" },
		{ 1471, "HY000", 405, "55000" },
		{ 1906, "HY000", 400, "428C9" },
		{ 3105, "HY000", 400, "428C9" },
		{ 1031, "HY000", 405, "55000" },
		{ 1242, "21000", 500, "21000" },
		{ 6138, "HY000", 400, "22P02" },
		{ 1467, "HY000", 400, "2200H" },
		{ 1416, "22003", 400, "22P02" },
		{ 3037, "22023", 400, "22P02" },
		{ 3070, "HY000", 400, "22P02" },
		{ 4048, "HY000", 400, "22P02" },
		{ 1114, "HY000", 503, "53100" },
		{ 1021, "HY000", 503, "53100" },
		{ 3675, "HY000", 503, "53100" },
		{ 1436, "HY000", 500, "54001" },
		/* other: by the class of the SQLSTATE */
		{ 9999, "22018", 400, "22018" },
		{ 9999, "23999", 400, "23999" },
		{ 9999, "42S99", 400, "42S99" },
		{ 9999, "HY000", 500, "XX000" },
		{ 9999, "08S01", 500, "XX000" },
		{ 9999, "", 500, "XX000" },
		{ 3684, "HY000", 500, "XX000" },
		{ 3700, "HY000", 500, "XX000" },
	};
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = error_of(rows[i].number, rows[i].sqlstate, "secret text");

		if (err.status != rows[i].status || strcmp(err.sqlstate, rows[i].code) != 0) {
			print_error("%u %s gives %d %s, not %d %s\n", rows[i].number, rows[i].sqlstate, err.status,
				    err.sqlstate, rows[i].status, rows[i].code);
			wrong++;
		}
		assert_int_equal(err.db_errno, rows[i].number);
		/* The server's text is for the log alone; the number is for all. */
		assert_string_equal(err.log_detail, "secret text");
		assert_null(strstr(err.message, "secret"));
		assert_true(!err.hint || !strstr(err.hint, "secret"));
		if (rows[i].number)
			assert_string_equal(err.details, arena_printf(arena, "MySQL error %u", rows[i].number));
		if (err.status == 503)
			assert_true(err.retry_after > 0);
	}
	assert_int_equal(wrong, 0);
}

/* SIGNAL speaks to the client: its SQLSTATE and its text go out. */
static void raised(void **state)
{
	static const struct {
		const char *sqlstate;
		int status;
		const char *code;
	} rows[] = {
		{ "45000", 400, "P0001" }, { "PT402", 402, "PT402" }, { "PT200", 200, "PT200" },
		{ "PT599", 599, "PT599" }, { "PT404", 404, "PT404" }, { "PT600", 500, "PT600" },
		{ "PT100", 500, "PT100" }, { "PTabc", 500, "PTabc" }, { "22012", 400, "22012" },
		{ "P0002", 400, "P0002" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = error_of(1644, rows[i].sqlstate, "not on Sundays \xff");

		if (err.status != rows[i].status || strcmp(err.sqlstate, rows[i].code) != 0)
			fail_msg("%s gives %d %s", rows[i].sqlstate, err.status, err.sqlstate);
		assert_string_equal(err.message, "not on Sundays ?");
		assert_null(err.details);
	}
}

/* SQLSTATE 'PGRST': the text is the error. */
static void raised_json(void **state)
{
	struct error err = error_of(1644, "PGRST",
				    "{\"code\": \"X1\", \"message\": \"no \\u00e4\", \"details\": \"d\", "
				    "\"hint\": null, \"status\": 402}");
	static const char *const bad[] = { "",          "x", "[]", "{}", "{\"code\": \"X1\"}", "{\"message\": \"x\"}",
					   "{\"code\":" };

	(void)state;
	assert_int_equal(err.status, 402);
	assert_string_equal(err.sqlstate, "X1");
	assert_string_equal(err.message, "no \xc3\xa4");
	assert_string_equal(err.details, "d");
	assert_null(err.hint);
	err = error_of(1644, "PGRST", "{\"code\": \"X1\", \"message\": \"m\", \"status\": 9}");
	assert_int_equal(err.status, 400);
	assert_null(err.details);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err = error_of(1644, "PGRST", bad[i]);
		assert_int_equal(err.status, 500);
		assert_string_equal(err.sqlstate, "PGRST121");
	}
}

/* The sums of app/plan/cast.c that overflow, as the servers quote them. */
static void casts(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "DOUBLE value is out of range in 'exp(710 + octet_length(`hr`.`t`.`c`))'", "22P02" },
		{ "DOUBLE value is out of range in 'exp((710 + length(`hr`.`t`.`c`)))'", "22P02" },
		{ "BIGINT UNSIGNED value is out of range in '18446744073709551615 + (1 + octet_length(`hr`.`t`.`c`))'",
		  "22003" },
		{ "DOUBLE value is out of range in 'exp(`hr`.`t`.`c`)'", "22003" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = error_of(1690, "22003", rows[i].text);

		assert_int_equal(err.status, 400);
		assert_string_equal(err.sqlstate, rows[i].code);
	}
}

static void denied_tables(void **state)
{
	static const struct {
		unsigned number;
		const char *text, *message;
	} rows[] = {
		{ 1142, "SELECT command denied to user 'a'@'localhost' for table 'salary'",
		  "permission denied for table salary" },
		{ 1142, "SELECT command denied to user 'a'@'localhost' for table `hr`.`salary`",
		  "permission denied for table salary" },
		{ 1143, "SELECT command denied to user 'a'@'localhost' for column 'amount' in table 'salary'",
		  "permission denied for table salary" },
		{ 1142, "SELECT command denied to user 'a'@'localhost' for table `hr`.`a.b`",
		  "permission denied for table a.b" },
		{ 1142, "SELECT command denied to user 'a'@'localhost' for table 'a.b'",
		  "permission denied for table a.b" },
		{ 1142, "nonsense", "permission denied" },
		{ 1142, "", "permission denied" },
		{ 1142, "x for table ", "permission denied" },
		{ 1142, "x for table '", "permission denied for table '" },
		{ 1044, "Access denied for user 'a'@'%' to database 'hr'", "permission denied" },
		{ 1227, "Access denied; you need (at least one of) the SUPER privilege(s)", "permission denied" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = error_of(rows[i].number, "42000", rows[i].text);

		if (strcmp(err.message, rows[i].message) != 0)
			fail_msg("%s\ngives %s\nnot   %s", rows[i].text, err.message, rows[i].message);
		assert_int_equal(err.code, ERR_DENIED);
	}
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(raised),        cmocka_unit_test(raised_json),
		cmocka_unit_test(casts),   cmocka_unit_test(denied_tables),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
