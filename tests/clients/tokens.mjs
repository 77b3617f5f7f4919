// Tokens, good ones and mutated ones, drawn from a seed: the same seed gives the same tokens (but for the lots that ECDSA
// itself draws).
import crypto from 'node:crypto'

export const NOW = 1700000000

// Node 18 has it, but not where jose looks.
globalThis.crypto ??= crypto.webcrypto

// Mulberry32.
export function random(seed) {
	let a = seed >>> 0
	const next = () => {
		a = (a + 0x6d2b79f5) >>> 0
		let t = Math.imul(a ^ (a >>> 15), 1 | a)
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296
	}
	return { next, below: (n) => Math.floor(next() * n), one: (list) => list[Math.floor(next() * list.length)] }
}

const b64 = (bytes) => Buffer.from(bytes).toString('base64url')
const HASH = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }

// {kid, alg, jwk, sign(text), oracle: what the libraries verify with}
export function makeKeys() {
	const keys = []
	for (const [kid, alg] of [['h2', 'HS256'], ['h5', 'HS512']]) {
		const secret = crypto.createHash('sha512').update(kid).digest()
		keys.push({
			kid, alg, secret, oracle: crypto.createSecretKey(secret), jwk: { kty: 'oct', k: b64(secret), kid, alg },
			sign: (text, hash = HASH[alg.slice(2)]) => crypto.createHmac(hash, secret).update(text).digest(),
		})
	}
	for (const [kid, alg, type, options] of [
		['r2', 'RS256', 'rsa', { modulusLength: 2048 }], ['r3', 'RS384', 'rsa', { modulusLength: 2048 }],
		['e2', 'ES256', 'ec', { namedCurve: 'P-256' }], ['e3', 'ES384', 'ec', { namedCurve: 'P-384' }], ['e5', 'ES512', 'ec', { namedCurve: 'P-521' }],
	]) {
		const { publicKey, privateKey } = crypto.generateKeyPairSync(type, options)
		keys.push({
			kid, alg, oracle: publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg },
			pem: publicKey.export({ type: 'spki', format: 'pem' }),
			sign: (text, hash = HASH[alg.slice(2)], dsaEncoding = 'ieee-p1363', padding) =>
				crypto.sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding, ...(padding && { padding, saltLength: 32 }) }),
		})
	}
	return keys
}

const ODD = [null, true, false, 0, -1, 1, 1.5, 1e300, 2 ** 63, 2 ** 64, '', 'x', '0', [], [1], {}, { a: 1 }, 'a\u0000b', '\ud83d\ude00', ' ', '../x', "' OR 1=1"]
const times = (now) => [
	...[-86400, -31, -30, -29, -1, 0, 1, 29, 30, 31, 60, 86400].map((seconds) => now + seconds),
	String(now + 60), now + 0.5, (now + 60) * 1000,
]
const HEADERS = {
	alg: ['none', 'None', 'NONE', 'hs256', 'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'dir', ''],
	typ: ['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'JOSE', 'id_token', 'application/jwt', 'dpop+jwt'],
	kid: ['h2', 'r2', 'e2', 'nobody', '../../dev/null', 'h2\u0000', 'H2'],
	crit: [[], ['exp'], ['b64'], ['alg'], 'b64', ['http://x']], b64: [true, false], zip: ['DEF'], enc: ['A128GCM'], cty: ['JWT'],
	jku: ['http://127.0.0.1:1/'], x5u: ['http://127.0.0.1:1/'], x5c: [['AA']], jwk: [{ kty: 'oct', k: 'AA' }], x5t: ['AA'],
}
const claims_at = (now) => ({
	exp: times(now), nbf: times(now), iat: times(now), role: ['anon', 'service_role', 'r'.repeat(129), 'a\nb'], sub: ['u', 's'.repeat(1100)],
	aud: ['x', ['x', 'y'], [['x']]], iss: ['a', 'https://a.example'], jti: ['j'], extra: ['y'.repeat(3000), [[[[[[1]]]]]]],
})

function change(r, object, table) {
	const name = r.one(Object.keys(table))
	if (r.below(8) === 0) delete object[name]
	else object[name] = r.below(3) ? r.one(table[name]) : r.one(ODD)
}

// JSON text, and sometimes what is nearly JSON.
function text(r, object) {
	let t = JSON.stringify(object)
	switch (r.below(30)) {
		case 0: return t.replace('{', `{"${r.one(['exp', 'role', 'alg', 'sub'])}":${r.one(['1', '"x"', 'null'])},`)
		case 1: return t.replace(/"(e)xp"/, '"\\u0065xp"').replace('"alg"', '"\\u0061lg"')
		case 2: return ' '.repeat(r.below(3)) + t + r.one(['', ' ', '\n', '\0', 'x', '{}', ','])
		case 3: return '\ufeff' + t
		case 4: return t.slice(0, r.below(t.length + 1))
		case 5: return `[${t}]`
		case 6: return t.replace(/\d+/, r.one(['01', '+1', '1.', '.5', '1e5', '0x10', 'NaN', '-0', '1E+9', '9'.repeat(40)]))
		case 7: { const b = Buffer.from(t); if (b.length) b[r.below(b.length)] = r.below(256); return b }
		case 8: return t.replace(/"/g, "'")
		default: return t
	}
}

function signed(r, keys, now) {
	const key = r.one(keys), header = { alg: key.alg, typ: 'JWT' }, claims = { role: 'authenticated', exp: now + 600 }
	if (r.below(2)) header.kid = key.kid
	for (let i = r.below(4) - 1; i > 0; i--) change(r, header, HEADERS)
	for (let i = r.below(4) - 1; i > 0; i--) change(r, claims, claims_at(now))
	const body = `${b64(text(r, header))}.${b64(text(r, claims))}`, hash = r.one(Object.values(HASH))
	const pub = r.one(keys.filter((k) => k.pem))
	let signature
	switch (r.below(40)) {
		case 0: signature = crypto.createHmac(hash, r.one([pub.pem, pub.pem.trim(), JSON.stringify(pub.jwk), ''])).update(body).digest(); break
		case 1: signature = r.one(keys).sign(body); break
		case 2: signature = key.sign(body, hash); break
		case 3: signature = Buffer.alloc(r.one([0, 1, 32, 64, 96, 132, 256]), r.below(2) ? 0 : 255); break
		case 4: signature = key.pem ? key.sign(body, undefined, 'der') : Buffer.concat([key.sign(body), Buffer.from([0])]); break
		case 5: signature = key.jwk.kty === 'RSA' ? key.sign(body, undefined, undefined, crypto.constants.RSA_PKCS1_PSS_PADDING) : key.sign(body); break
		case 6: { signature = key.sign(body); signature[r.below(signature.length)] ^= 1 << r.below(8); break }
		case 7: signature = key.sign(body).subarray(r.below(3)); break
		default: signature = key.sign(body)
	}
	return `${body}.${b64(signature)}`
}

function mutated(r, token) {
	const at = r.below(token.length + 1), put = (s, drop = 0) => token.slice(0, at) + s + token.slice(at + drop)
	const parts = token.split('.')
	switch (r.below(13)) {
		case 0: return put(r.one([...'ABab09-_+/=. \n\0.~%']), 1)
		case 1: return put(r.one([...'ABab09-_+/=. \n\t.']))
		case 2: return put('', 1)
		case 3: return token.slice(0, at)
		case 4: return parts.reverse().join('.')
		case 5: return `${token}.${parts[0]}`
		case 6: return `${parts[0]}.${parts[1]}.`
		case 7: return parts.map((p) => p + '='.repeat((4 - (p.length % 4)) % 4)).join('.')
		case 8: return r.one([` ${token}`, `${token} `, `Bearer ${token}`, `${token}\n`, `"${token}"`])
		case 9: return parts.slice(0, 2).join('.')
		case 10: return parts.map((p) => p.replace(/-/g, '+').replace(/_/g, '/')).join('.')
		case 11: { // the bits that the last letter has too many
			const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
			const i = r.below(3), p = parts[i] ?? ''
			parts[i] = p.slice(0, -1) + letters[(letters.indexOf(p.at(-1)) ^ 1) & 63]
			return parts.join('.')
		}
		default: return r.below(2) ? token.toUpperCase() : `${token}${token}`
	}
}

export function* tokens(seed, n, keys, now = NOW) {
	const r = random(seed)
	for (let i = 0; i < n; i++) {
		const token = signed(r, keys, now)
		yield r.below(3) ? token : mutated(r, token)
	}
}
