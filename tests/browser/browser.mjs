// A browser for the tests of the pages: Debian's Chromium. Each window notes what must never happen (violations of the
// Content-Security-Policy, errors of scripts, requests to other hosts), and `well` finds that none of it has.
// (ROWGATE_URL, ROWGATE_ADMIN_EMAIL, ROWGATE_ADMIN_PASSWORD, ROWGATE_SERVICE_KEY; SCREENSHOTS: a folder for pictures.)
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

export const { ROWGATE_URL: url, ROWGATE_ADMIN_EMAIL: email, ROWGATE_ADMIN_PASSWORD: password, ROWGATE_SERVICE_KEY: serviceKey } = process.env
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p))
const patience = 60000

let browser
export async function launch() {
	browser = await chromium.launch({
		executablePath,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync'],
	})
}
export const quit = () => browser?.close()

// A window of its own, with its own cookies. options: width, height, dark, and others of Playwright's contexts.
export async function open({ width = 1280, height = 900, dark = false, ...options } = {}) {
	const context = await browser.newContext({
		ignoreHTTPSErrors: true, acceptDownloads: true, viewport: { width, height }, colorScheme: dark ? 'dark' : 'light',
		timezoneId: 'America/New_York', reducedMotion: 'reduce', ...options,
	})
	context.setDefaultTimeout(patience)
	const page = await context.newPage()
	const seen = { csp: [], errors: [], foreign: [] }
	await page.exposeFunction('__csp', (text) => seen.csp.push(text))
	await page.addInitScript(() =>
		document.addEventListener('securitypolicyviolation', (e) => window.__csp(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)))
	page.on('pageerror', (e) => seen.errors.push(String(e.stack || e)))
	page.on('request', (r) => {
		if (!r.url().startsWith(url) && !/^(data|blob|about):/.test(r.url())) seen.foreign.push(r.url())
	})
	page.seen = seen
	page.go = (place) => page.goto(url + place)
	return page
}

// Nothing happened that must not; closes the window.
export async function well(page) {
	const seen = page.seen
	await page.context().close()
	assert.deepEqual(seen, { csp: [], errors: [], foreign: [] })
}

// What axe-core finds wrong in the page as it stands, in both colours; in the second, only colours can be wrong anew.
export async function accessible(page, what = '') {
	if (!(await page.evaluate(() => Boolean(window.axe)))) await page.evaluate(axe)
	for (const theme of ['light', 'dark']) {
		await page.evaluate((t) => (document.documentElement.dataset.bsTheme = t), theme)
		const found = await page.evaluate((dark) => axe.run(document, { resultTypes: ['violations'], runOnly: dark ? ['color-contrast'] : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }), theme === 'dark')
		const bad = found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.any.map((a) => a.message)}`))
		assert.deepEqual(bad, [], `${what} ${theme}`)
	}
	await page.evaluate(() => (document.documentElement.dataset.bsTheme = 'light'))
}

export async function signIn(page, as = email, by = password) {
	await page.locator('#main').getByLabel('Email').fill(as)
	await page.locator('#main').getByLabel('Password').fill(by)
	await page.locator('#main').getByRole('button', { name: 'Sign in' }).click()
	await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

// For `make screenshots`: the page, wide and narrow, light and dark.
export async function picture(page, name) {
	if (!process.env.SCREENSHOTS) return
	fs.mkdirSync(process.env.SCREENSHOTS, { recursive: true })
	const size = page.viewportSize()
	for (const width of [1280, 390]) {
		await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
		for (const theme of ['light', 'dark']) {
			await page.evaluate((t) => (document.documentElement.dataset.bsTheme = t), theme)
			await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}-${width}-${theme}.png`) })
		}
	}
	await page.evaluate(() => (document.documentElement.dataset.bsTheme = 'light'))
	await page.setViewportSize(size)
}

// A request beside the pages, by service_role: to make and take away what a test needs.
export async function api(method, place, body, headers = {}) {
	const answer = await fetch(url + place, {
		method,
		headers: { Authorization: `Bearer ${serviceKey}`, 'Content-Type': 'application/json', ...headers },
		body: body === undefined ? undefined : JSON.stringify(body),
	})
	const text = await answer.text()
	assert.ok(answer.ok, `${method} ${place}: ${answer.status} ${text}`)
	return text ? JSON.parse(text) : null
}
