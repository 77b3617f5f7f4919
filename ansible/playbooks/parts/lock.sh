#!/bin/sh
# lock.sh take OWNER [GONE] | release OWNER: the lock of a host, read and written by one at a time. Says who holds it
# afterwards. It is taken when nobody holds it, when GONE does, or when it is older than four hours, which no run takes.
set -eu
folder=${ROWGATE_LOCK:-/run/rowgate-deploy.lock}
verb=$1
owner=$2
gone=${3:-}
mkdir -p "$folder"
exec 9>"$folder/flock"
flock 9
held=$(cat "$folder/owner" 2>/dev/null) || held=
[ -z "$(find "$folder/owner" -mmin +240 2>/dev/null)" ] || held=
case $verb in
take)
	if [ -z "$held" ] || [ "$held" = "$owner" ] || [ "$held" = "$gone" ]; then
		printf '%s\n' "$owner" >"$folder/owner.new"
		mv "$folder/owner.new" "$folder/owner"
		held=$owner
	fi
	;;
release)
	if [ "$held" = "$owner" ]; then
		rm -f "$folder/owner"
		held=
	fi
	;;
esac
printf '%s\n' "$held"
