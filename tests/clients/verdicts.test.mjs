// A second opinion on tokens: what jose or jsonwebtoken refuses, Rowgate refuses. Thousands of mutated tokens through
// Rowgate's own check (verdict.c), and some by HTTP to the running workers. (TOKENS: how many, SEED; ASK=accepted: the
// others are asked of what Rowgate accepts alone, which is all that the question needs and five times as fast; ROWGATE_URL,
// ROWGATE_JWT_SECRET_FILE; NODE_EXTRA_CA_CERTS trusts the CA.)
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { makeKeys, NOW, random, tokens } from './tokens.mjs'

const repo = fileURLToPath(new URL('../..', import.meta.url))
const build = process.env.BUILD ?? 'build'
const count = Number(process.env.TOKENS ?? 6000), seed = Number(process.env.SEED ?? 20261121)
const onlyAccepted = process.env.ASK === 'accepted'
const LEEWAY = 30

// Each with every key that the token may mean, and that key's algorithm alone.
function candidates(token, keys) {
	try {
		const { kid } = jose.decodeProtectedHeader(token)
		return kid === undefined ? keys : keys.filter((key) => key.kid === kid)
	} catch {
		return keys
	}
}

async function byJose(token, key, now) {
	try {
		await jose.jwtVerify(token, key.oracle, { algorithms: [key.alg], clockTolerance: LEEWAY, currentDate: new Date(now * 1000) })
		return true
	} catch {
		return false
	}
}

function byJsonwebtoken(token, key, now) {
	try {
		jsonwebtoken.verify(token, key.oracle, { algorithms: [key.alg], clockTolerance: LEEWAY, clockTimestamp: now })
		return true
	} catch {
		return false
	}
}

async function opinion(token, keys, now) {
	let one = false, other = false
	for (const key of candidates(token, keys)) {
		one ||= await byJose(token, key, now)
		other ||= byJsonwebtoken(token, key, now)
	}
	return { jose: one, jsonwebtoken: other }
}

function program() {
	const path = `${build}/tests/clients/verdict`
	const made = spawnSync('make', ['-s', `BUILD=${build}`, path], { cwd: repo, encoding: 'utf8', env: { ...process.env, MAKEFLAGS: '' } })
	assert.equal(made.status, 0, made.stderr)
	return join(repo, path)
}

// '1' or '0' for each of a list of tokens.
async function verdicts(list, jwks) {
	const child = spawn(program(), [jwks, String(NOW)], { stdio: ['pipe', 'pipe', 'inherit'] })
	const out = []
	child.stdout.on('data', (piece) => out.push(piece))
	for (const token of list) {
		const bytes = Buffer.from(token, 'utf8'), length = Buffer.alloc(4)
		length.writeUInt32LE(bytes.length)
		if (!child.stdin.write(Buffer.concat([length, bytes]))) await once(child.stdin, 'drain')
	}
	child.stdin.end()
	const [status] = await once(child, 'close')
	assert.equal(status, 0)
	return Buffer.concat(out).toString()
}

test(`of ${count} tokens none is accepted that jose or jsonwebtoken refuses`, async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'verdicts-')), jwks = join(folder, 'jwks')
	const keys = makeKeys(), sum = { accepted: 0, jose: 0, jsonwebtoken: 0, both: 0 }, bad = []
	writeFileSync(jwks, JSON.stringify({ keys: keys.map((key) => key.jwk) }))
	chmodSync(jwks, 0o600)
	try {
		for (let done = 0, part = 0; done < count; part++) {
			const list = [...tokens(seed + part, Math.min(20000, count - done), keys)]
			const ours = await verdicts(list, jwks)
			assert.equal(ours.length, list.length)
			for (const [i, token] of list.entries()) {
				if (onlyAccepted && ours[i] !== '1') continue
				const theirs = await opinion(token, keys, NOW)
				sum.jose += theirs.jose
				sum.jsonwebtoken += theirs.jsonwebtoken
				sum.both += theirs.jose && theirs.jsonwebtoken
				if (ours[i] !== '1') continue
				sum.accepted++
				if (!theirs.jose || !theirs.jsonwebtoken) bad.push({ ...theirs, token })
			}
			done += list.length
		}
	} finally {
		rmSync(folder, { recursive: true })
	}
	t.diagnostic(`accepted: by Rowgate ${sum.accepted}, jose ${sum.jose}, jsonwebtoken ${sum.jsonwebtoken}, both of them ${sum.both}`)
	assert.deepEqual(bad.slice(0, 5), [])
	// Enough of them are good for the question to mean something.
	assert.ok(sum.accepted > count / 20, `only ${sum.accepted}`)
})

test('the running workers think the same', { skip: !process.env.ROWGATE_URL }, async () => {
	const secret = readFileSync(process.env.ROWGATE_JWT_SECRET_FILE, 'utf8').trimEnd()
	const { createHmac, createSecretKey } = await import('node:crypto')
	const keys = ['HS256', 'HS384', 'HS512'].map((alg) => ({
		kid: undefined, alg, oracle: createSecretKey(Buffer.from(secret)), jwk: { kty: 'oct' }, pem: `-----${alg}-----`,
		sign: (text, hash = `sha${alg.slice(2)}`) => createHmac(hash, secret).update(text).digest(),
	}))
	const r = random(seed), now = Math.floor(Date.now() / 1000)
	let accepted = 0
	for (const token of tokens(seed, 400, keys, now)) {
		// A header carries no line ends and no NUL.
		if (/[^\x21-\x7e]/.test(token) || token.startsWith('Bearer')) continue
		const { status } = await fetch(`${process.env.ROWGATE_URL}/rest/v1/incident?limit=1`, {
			headers: { Authorization: `Bearer ${token}`, 'Accept-Profile': 'incidents' },
		})
		// Their clock is ours to set, the workers' is not.
		const at = Math.floor(Date.now() / 1000), theirs = { jose: false, jsonwebtoken: false }
		for (let moment = at - 3; moment <= at + 1; moment++) {
			const then = await opinion(token, keys, moment)
			theirs.jose ||= then.jose
			theirs.jsonwebtoken ||= then.jsonwebtoken
		}
		if (status < 400 || status === 403) accepted++
		assert.ok(status === 401 || (theirs.jose && theirs.jsonwebtoken), `${status} ${JSON.stringify(theirs)} ${token}`)
	}
	for (let i = 0; i < 20; i++) {
		const claims = { role: 'service_role', exp: now + 60 + r.below(100) }
		const token = jsonwebtoken.sign(claims, secret, { algorithm: r.one(['HS256', 'HS384', 'HS512']) })
		const answer = await fetch(`${process.env.ROWGATE_URL}/rest/v1/incident?limit=1`, {
			headers: { Authorization: `Bearer ${token}`, 'Accept-Profile': 'incidents' },
		})
		if (answer.status === 200) accepted++
		await answer.arrayBuffer()
	}
	assert.ok(accepted >= 20, `${accepted}`)
})
