#!/usr/bin/env bash
# Loads employee_directory.csv and salary_history.csv (dates as 12/8/17, month first) in place of all rows there are;
# `load_csv.sh help` tells how. It reads the tables' columns from the header lines, so their order does not matter, and
# takes an empty field for NULL. Everything is one transaction: a bad line leaves the old rows as they were.
#
# The rows go over as INSERTs on standard input, for LOAD DATA LOCAL is switched off on careful servers.
set -euo pipefail
shopt -s inherit_errexit

die() {
	echo "load_csv.sh: $*" >&2
	exit 1
}

usage() {
	cat <<'U'
usage: sql/wages/load_csv.sh FOLDER [DATABASE (wages)] [OPTION OF THE CLIENT...]
for example: sql/wages/load_csv.sh ../shared/data/wages wages --socket=var/mysql.sock --user=root
A password belongs in an option file: --defaults-file=FILE as the first option.
U
}

# inserts TABLE FILE: one INSERT per 500 lines.
inserts() {
	awk -v table="$1" '
	function fail(text) { print "line " NR " of " FILENAME ": " text > "/dev/stderr"; bad = 1; exit 1 }
	function split_csv(line, field,    n, rest, at) {
		n = 0; rest = line
		do {
			if (substr(rest, 1, 1) == "\"") {
				if (!match(rest, /^"([^"]|"")*"(,|$)/)) fail("a quote that does not end")
				at = RLENGTH; field[++n] = substr(rest, 2, at - (substr(rest, at, 1) == "," ? 3 : 2))
				gsub(/""/, "\"", field[n])
			} else {
				at = index(rest, ","); if (!at) at = length(rest) + 1
				field[++n] = substr(rest, 1, at - 1)
			}
			more = substr(rest, at, 1) == ","
			rest = substr(rest, at + 1)
		} while (more)
		return n
	}
	function literal(text, column) {
		if (text == "") return "NULL"
		gsub(/\\/, "\\\\", text); gsub(/\047/, "\047\047", text)
		if (column !~ /(^|_)date$/) return "\047" text "\047"
		if (text !~ /^[0-9][0-9]?\/[0-9][0-9]?\/[0-9][0-9]$/) fail("\"" text "\" is no date such as 12/8/17")
		return "STR_TO_DATE(\047" text "\047, \047%m/%d/%y\047)"
	}
	{ sub(/\r$/, "") }
	NR == 1 {
		sub(/^\xef\xbb\xbf/, "")
		columns = split_csv($0, column); list = ""
		for (i = 1; i <= columns; i++) {
			if (column[i] !~ /^[a-z_]+$/) fail("\"" column[i] "\" is no name of a column")
			list = list (i > 1 ? ", " : "") "`" column[i] "`"
		}
		next
	}
	$0 == "" { next }
	{
		if (split_csv($0, field) != columns) fail("not " columns " fields")
		row = ""
		for (i = 1; i <= columns; i++) row = row (i > 1 ? ", " : "") literal(field[i], column[i])
		if (rows % 500 == 0) printf "%sINSERT INTO %s (%s) VALUES\n", (rows ? ";\n" : ""), table, list
		else printf ",\n"
		printf "(%s)", row
		rows++
	}
	END { if (rows && !bad) print ";" }' "$2"
}

main() {
	local folder=${1:-help} database=${2:-wages} client file statements options=()
	if [ "$folder" = help ] || [ "$folder" = -h ] || [ "$folder" = --help ]; then
		usage
		exit 0
	fi
	options=("${@:3}")
	client=$(command -v mariadb || command -v mysql) || die 'needs the program mariadb: apt-get install mariadb-client'
	for file in employee_directory salary_history; do
		[ -r "$folder/$file.csv" ] || die "the file '$folder/$file.csv' cannot be read"
	done
	statements=$(
		echo "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE';"
		echo 'START TRANSACTION; DELETE FROM salary_history; DELETE FROM employee_directory;'
		inserts employee_directory "$folder/employee_directory.csv"
		inserts salary_history "$folder/salary_history.csv"
		echo 'COMMIT;'
		echo "SELECT CONCAT(COUNT(*), ' employees') FROM employee_directory;"
		echo "SELECT CONCAT(COUNT(*), ' salaries') FROM salary_history;"
	)
	"$client" "${options[@]}" --default-character-set=utf8mb4 --batch --skip-column-names "$database" <<<"$statements"
}

main "$@"
