#!/usr/bin/env bash
# testssl.sh (Debian's) on a running instance: . var/rowgate.env; tests/judges/testssl.sh
# Prints what is graver than informational; fails for all of it that a CA of one's own and an address without a name do
# not explain.
set -euo pipefail
: "${ROWGATE_URL:?of a running instance: . var/rowgate.env}" "${ROWGATE_CA:?}"
command -v testssl >/dev/null || { echo 'apt-get install testssl.sh' >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

testssl --quiet --color 0 --warnings batch --add-ca "$ROWGATE_CA" --jsonfile "$folder/found.json" "${ROWGATE_URL#https://}" \
	>"$folder/log" 2>&1 || true
[ -s "$folder/found.json" ] || { cat "$folder/log" >&2; exit 2; }
/usr/bin/python3 - "$folder/found.json" <<'PYTHON'
import json, sys
# What belongs to the certificate of `make up`, which its own CA signs for an address: no CRL, OCSP, CAA, transparency log
# or DNS, not yet long valid, and the grade that testssl caps for it.
OWN_CA = ('cert_chain_of_trust', 'cert_trust', 'cert_revocation', 'cert_crlDistributionPoints', 'cert_ocspURL', 'DNS_CAArecord',
          'cert_extlifeSpan', 'cert_expirationStatus', 'OCSP_stapling', 'certificate_transparency', 'cert_mustStaple',
          'overall_grade', 'grade_cap_reason', 'cert_caIssuers')
# About the machine testssl runs on.
NOT_OURS = ('engine_problem',)
found = [f for f in json.load(open(sys.argv[1])) if f['severity'] not in ('OK', 'INFO', 'DEBUG') and f['id'] not in NOT_OURS]
bad = [f for f in found if not f['id'].startswith(OWN_CA)]
for f in found:
    print(f"{f['severity']:8} {f['id']}: {f['finding'][:150]}" + ('' if f in bad else '  (its own CA)'))
print(f'{len(bad)} findings above informational, {len(found) - len(bad)} more that the own CA explains')
sys.exit(bool(bad))
PYTHON
