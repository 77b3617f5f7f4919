#!/usr/bin/env bash
# sqlmap (Debian's) at level 3, risk 2 on 20 parameters of a running instance: names, values, headers, bodies.
#   . var/rowgate.env; tests/judges/sqlmap.sh [NAME...]
# Some minutes each; an instance with RATE=99999 is quicker. A line for each; fails when anything can be injected into.
set -uo pipefail
: "${ROWGATE_URL:?of a running instance: . var/rowgate.env}" "${ROWGATE_CA:?}" "${ROWGATE_SERVICE_KEY:?}"
command -v sqlmap >/dev/null || { echo 'apt-get install sqlmap' >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
level=${LEVEL:-3} risk=${RISK:-2} failed=0 done=0
auth="Authorization: Bearer $ROWGATE_SERVICE_KEY" rest="$ROWGATE_URL/rest/v1"

# judge NAME URL [sqlmap's words]: '*' marks the place.
judge() {
	local name=$1 url=$2 said
	shift 2
	case " ${names:-$name} " in *" $name "*) ;; *) return ;; esac
	sqlmap --batch --disable-coloring --flush-session --output-dir "$folder" --level "$level" --risk "$risk" --dbms mysql \
		--technique "${TECHNIQUE:-BEUSTQ}" --threads 4 --time-sec 3 --ignore-code '*' --skip-waf --answers 'skip those kind=N,extending=Y,follow=N,reduce the number=N' --timeout 20 --retries 1 \
		--url "$url" "$@" >"$folder/log" 2>&1 </dev/null
	# What "appears to be injectable" on the way is looked at once more by sqlmap itself; the last word counts.
	if grep -q 'identified the following injection point\|is vulnerable' "$folder/log"; then
		said='FOUND' failed=1
		grep -A12 'identified the following injection point\|is vulnerable' "$folder/log" | head -40
	elif grep -q 'do not appear to be injectable\|not injectable' "$folder/log"; then
		said='nothing'
	else
		said='not judged' failed=1
		tail -5 "$folder/log"
	fi
	done=$((done + 1))
	printf '%-24s %s (%s requests answered with: %s)\n' "$name" "$said" "$(grep -o '[0-9]* times' "$folder/log" | awk '{n += $1} END {print n + 0}')" \
		"$(grep -oE '^[0-9]{3} \([^)]*\) - [0-9]+ times' "$folder/log" | tr '\n' ';')"
}

names="$*"
json=(--method POST --headers "$auth"$'\n''Content-Type: application/json')
judge filter-value "$rest/employee_directory?eid=eq.1*" --headers "$auth"
judge filter-text "$rest/employee_directory?name=eq.Ada*&limit=1" --headers "$auth"
judge filter-name "$rest/employee_directory?eid*=eq.1" --headers "$auth"
judge filter-operator "$rest/employee_directory?eid=eq*.1" --headers "$auth"
judge filter-list "$rest/employee_directory?eid=in.(1,2*)" --headers "$auth"
judge filter-pattern "$rest/employee_directory?name=like.A*&limit=1" --headers "$auth"
judge filter-tree "$rest/employee_directory?or=(eid.eq.1,name.eq.x*)" --headers "$auth"
judge table "$rest/employee_directory*?limit=1" --headers "$auth"
judge select "$rest/employee_directory?select=name*&limit=1" --headers "$auth"
judge select-alias "$rest/employee_directory?select=x*:name&limit=1" --headers "$auth"
judge select-cast "$rest/employee_directory?select=eid::text*&limit=1" --headers "$auth"
judge embed "$rest/employee_directory?select=name,salary_history*(salary)&limit=1" --headers "$auth"
judge order "$rest/employee_directory?order=name*&limit=1" --headers "$auth"
judge limit "$rest/employee_directory?limit=1*" --headers "$auth"
judge json-value "$rest/rpc/ingest_incident" "${json[@]}" --headers "$auth"$'\n''Content-Type: application/json'$'\n''Content-Profile: incidents' \
	--data '{"document":"x*"}'
judge json-name "$rest/salary_history" "${json[@]}" --data '{"eid*":1}'
judge prefer-header "$rest/employee_directory?limit=1" --headers "$auth"$'\n''Prefer: timezone=UTC*'
judge profile-header "$rest/employee_directory?limit=1" --headers "$auth"$'\n''Accept-Profile: wages*'
judge token-role "$rest/employee_directory?limit=1" --headers "Authorization: Bearer $ROWGATE_SERVICE_KEY*"
judge sign-in "$ROWGATE_URL/auth/v1/token?grant_type=password" --method POST --headers 'Content-Type: application/json' \
	--data '{"email":"ada*@example.com","password":"x"}'
echo "$done parameters, $((failed)) failure(s)"
exit "$failed"
