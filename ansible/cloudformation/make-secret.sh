#!/usr/bin/env bash
# The secret that the hosts and the stack read: passwords and the keys of tokens made here at random, and the TLS key of the
# hosts. Nothing is printed but its ARN; a secret that is there already is left alone.
set -euo pipefail
if [ $# != 2 ] || [ ! -r "$2" ]; then
	echo "usage: make-secret.sh ENVIRONMENT TLS-KEY.pem     (needs aws and openssl)" >&2
	exit 2
fi
name=rowgate/$1

word() { openssl rand -hex 24; }

document() {
	SIGNING=$(openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256) KID=$(openssl rand -hex 12) \
	ADMIN=$(word) USER_PASSWORD=$(word) AUTHENTICATOR=$(word) CATALOGUE=$(word) IDENTITY=$(word) JWT=$(openssl rand -hex 32) python3 -c '
import json, os, sys, time
now = int(time.time())
signing = {"keys": [{"kid": os.environ["KID"], "alg": "ES256", "created": now, "active": now, "key": os.environ["SIGNING"] + "\n"}]}
print(json.dumps({"admin_password": os.environ["ADMIN"], "user_password": os.environ["USER_PASSWORD"],
                  "authenticator_password": os.environ["AUTHENTICATOR"],
                  "catalogue_password": os.environ["CATALOGUE"], "identity_password": os.environ["IDENTITY"],
                  "jwt_secret": os.environ["JWT"], "signing_keys": json.dumps(signing), "tls_key": sys.stdin.read()}))' <"$1"
}

if aws secretsmanager describe-secret --secret-id "$name" --query ARN --output text 2>/dev/null; then
	echo "make-secret.sh: it is there already" >&2
	exit 0
fi
umask 077
file=$(mktemp)
trap 'rm -f "$file"' EXIT
document "$2" >"$file"
aws secretsmanager create-secret --name "$name" --description 'Rowgate' --secret-string "file://$file" --query ARN --output text
