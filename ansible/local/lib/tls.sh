# shellcheck shell=bash
# TLS of an instance: a CA of its own that can vouch for this machine only, and a server certificate that is made
# anew when it nears its end.

CA_DAYS=3650
SERVER_DAYS=397
RENEW_SECONDS=$((30 * 86400))

valid_for() { openssl x509 -checkend "$2" -noout -in "$1" >/dev/null 2>&1; }

new_key() {
	(umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.new" 2>/dev/null)
	mv "$1.new" "$1"
}

make_ca() {
	new_key "$TLS/ca.key"
	cat >"$TLS/ca.cnf" <<-END
		[req]
		distinguished_name = dn
		x509_extensions = ca
		prompt = no
		[dn]
		CN = Rowgate local CA $(openssl rand -hex 4)
		[ca]
		basicConstraints = critical, CA:TRUE, pathlen:0
		keyUsage = critical, keyCertSign, cRLSign
		subjectKeyIdentifier = hash
		nameConstraints = critical, @names
		[names]
		permitted;DNS.1 = localhost
		permitted;IP.1 = 127.0.0.1/255.255.255.255
		permitted;IP.2 = ::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
	END
	openssl req -x509 -new -key "$TLS/ca.key" -config "$TLS/ca.cnf" -days "$CA_DAYS" -out "$TLS/ca.pem" 2>/dev/null
	rm -f "$TLS/server.pem"
}

make_server() {
	new_key "$TLS/server.key"
	cat >"$TLS/server.cnf" <<-END
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = serverAuth
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
		subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
	END
	openssl req -new -key "$TLS/server.key" -subj /CN=localhost 2>/dev/null |
		openssl x509 -req -CA "$TLS/ca.pem" -CAkey "$TLS/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
			-days "$SERVER_DAYS" -extfile "$TLS/server.cnf" -out "$TLS/server.pem.new" 2>/dev/null
	mv "$TLS/server.pem.new" "$TLS/server.pem"
}

make_tls() {
	TLS=$VAR/tls
	mkdir -p "$TLS"
	valid_for "$TLS/ca.pem" "$RENEW_SECONDS" || make_ca
	valid_for "$TLS/server.pem" "$RENEW_SECONDS" || make_server
	rm -f "$TLS/ca.cnf" "$TLS/server.cnf"
}
