# shellcheck shell=bash
# The database of an instance: a private MariaDB under VAR (DB=local), or a server that runs already
# (DB=HOST:PORT). Either way sql/deploy.sh brings the schemas, accounts and sample data.

db_is_local() { [ "$DB" = local ]; }
db_host() { echo "${DB%:*}"; }
db_port() { case $DB in *:*) echo "${DB##*:}" ;; *) echo 3306 ;; esac }

# As root MariaDB runs as user mysql and lets only the system's root in as its root. As an ordinary user it runs as
# that one, its root has no password, and the folder of its socket is closed to others.
db_init() {
	local auth=normal
	[ ! -d "$VAR/mysql" ] || return 0
	[ "$(id -u)" -ne 0 ] || auth=socket
	say 'making a private MariaDB'
	rm -rf "$VAR/mysql.new"
	install -d -m 700 "${DB_OWNER[@]}" "$VAR/mysql.new"
	# --force: else it wants the machine to resolve its own name, which nothing here needs.
	mariadb-install-db --no-defaults --force --user="$DB_OS_USER" --datadir="$SHORT/mysql.new" \
		--auth-root-authentication-method="$auth" --skip-test-db --innodb-log-file-size=48M \
		>"$VAR/log/mariadb.log" 2>&1 || fail "$VAR/log/mariadb.log" 'MariaDB could not be initialised'
	mv "$VAR/mysql.new" "$VAR/mysql"
}

db_start() {
	local mode=700
	db_init
	[ "$(id -u)" -ne 0 ] || mode=755
	install -d -m "$mode" "${DB_OWNER[@]}" "$VAR/run/db"
	[ "$(stat -c %U "$VAR/mysql")" = "$DB_OS_USER" ] || chown -R "$DB_OS_USER" "$VAR/mysql"
	ln -sfn run/db/mysql.sock "$VAR/mysql.sock"
	spawn "$VAR/run/mariadb.started" "$VAR/log/mariadb.log" mariadbd --no-defaults --user="$DB_OS_USER" \
		--datadir="$SHORT/mysql" --socket="$SHORT/run/db/mysql.sock" --pid-file="$SHORT/run/db/mysql.pid" \
		--tmpdir="$SHORT/run/db" --skip-networking --skip-log-bin --skip-name-resolve --local-infile=0 \
		--secure-file-priv="$SHORT/run/db" --performance-schema=OFF --character-set-server=utf8mb4 \
		--innodb-buffer-pool-size=256M --innodb-log-file-size=48M --max-connections=$((WORKERS * 6 + 50))
	db_wait
}

db_admin() { mariadb --no-defaults --socket="$SHORT/mysql.sock" --user=root "$@"; }

db_wait() {
	local left=600
	until db_admin -e 'SELECT 1' >/dev/null 2>&1; do
		alive "$VAR/run/mariadb.started" || fail "$VAR/log/mariadb.log" 'MariaDB ended while it was starting'
		[ $((left--)) -gt 0 ] || fail "$VAR/log/mariadb.log" 'MariaDB did not come up within a minute'
		sleep .1
	done
}

# Is the server there, does it know us, is its certificate the right one?
db_check_remote() {
	local options=$VAR/run/client.cnf answer tls=()
	[ -n "$DB_USER" ] || die 'DB=HOST:PORT needs DB_USER, the login that may create databases, users and roles'
	[ -n "$DB_PASSWORD_FILE" ] || die 'DB=HOST:PORT needs DB_PASSWORD_FILE, the file that holds the password of DB_USER'
	[ -r "$DB_PASSWORD_FILE" ] || die "DB_PASSWORD_FILE '$DB_PASSWORD_FILE' cannot be read"
	[ -z "$DB_CA" ] || [ -r "$DB_CA" ] || die "DB_CA '$DB_CA' cannot be read"
	[ -z "$DB_CA" ] || tls=("--ssl-ca=$DB_CA" --ssl-verify-server-cert)
	(umask 077 && printf '[client]\npassword="%s"\n' \
		"$(head -n 1 "$DB_PASSWORD_FILE" | sed 's/[\\"]/\\&/g')" >"$options")
	answer=$(mariadb --defaults-file="$options" --protocol=tcp --connect-timeout=5 --host="$(db_host)" \
		--port="$(db_port)" --user="$DB_USER" "${tls[@]}" -e 'SELECT 1' 2>&1) || {
		rm -f "$options"
		case $answer in
		*'ERROR 1045'* | *'ERROR 1698'*) die "$DB refuses the login '$DB_USER': check DB_USER and DB_PASSWORD_FILE" ;;
		*'ERROR 2026'*) die "$DB has no TLS that DB_CA vouches for: ${answer##*: }" ;;
		*'ERROR 2002'* | *'ERROR 2003'* | *'ERROR 2005'*) die "$DB does not answer: check DB and that the server runs" ;;
		*) die "$DB: ${answer##*$'\n'}" ;;
		esac
	}
	rm -f "$options"
}

# deploy VERB...: of sql/deploy.sh, as the one who may create things.
deploy() {
	local target=("DB_SOCKET=$SHORT/mysql.sock" DB_USER=root DB_PASSWORD_FILE= DB_CA=)
	db_is_local || target=(DB_SOCKET= "DB_HOST=$(db_host)" "DB_PORT=$(db_port)" "DB_USER=$DB_USER" \
		"DB_PASSWORD_FILE=$DB_PASSWORD_FILE" "DB_CA=$DB_CA")
	env "${target[@]}" "AUTHENTICATOR_PASSWORD_FILE=$SHORT/keys/authenticator-password" \
		"CATALOGUE_PASSWORD_FILE=$SHORT/keys/catalogue-password" \
		"IDENTITY_PASSWORD_FILE=$SHORT/keys/identity-password" "$REPO/sql/deploy.sh" "$@" \
		>"$VAR/log/deploy.log" 2>&1 ||
		fail "$VAR/log/deploy.log" 'the schemas could not be brought up to date by sql/deploy.sh'
}

db_stop() { stop "$VAR/run/mariadb.started" TERM 60; }
