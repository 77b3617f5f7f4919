// What all pages look like: bar, sign-in, light and dark, messages, and what stands where data is not there (yet).
import { html, render, useEffect, useRef, useState } from './html.js'
import { currentUser, onSession, setSignInDialog, signIn, signOut, start } from './session.js'

export { Time, utcTime } from './time.js'

export function useSession() {
	const [user, set] = useState(currentUser())
	useEffect(() => onSession(set), [])
	return user
}

let dialogs = 0
// A modal <dialog>: the browser keeps the keyboard inside and gives it back afterwards. onClose on Escape too.
export function Dialog({ title, onClose, children, wide }) {
	const box = useRef()
	const [id] = useState(() => `dialog-${++dialogs}`)
	useEffect(() => {
		const from = document.activeElement
		box.current.showModal()
		box.current.querySelector('form :is(input, select, textarea):not([readonly])')?.focus()
		return () => from?.focus?.()
	}, [])
	return html`<dialog ref=${box} class=${wide ? 'wide' : ''} aria-labelledby=${id}
		onCancel=${(e) => { if (e.target === box.current) { e.preventDefault(); onClose() } }}>
		<div class="d-flex align-items-start mb-3">
			<h2 class="h5 m-0 flex-grow-1" id=${id}>${title}</h2>
			<button type="button" class="btn-close" aria-label="Close" onClick=${onClose}></button>
		</div>
		${children}
	</dialog>`
}

// Resolves to true when the reader agrees. `must`: text to type first, for what cannot be taken back.
export const confirm = (options) =>
	new Promise((resolve) => {
		const place = document.createElement('div')
		document.body.append(place)
		const end = (answer) => {
			render(null, place)
			place.remove()
			resolve(answer)
		}
		render(html`<${Confirm} ...${options} end=${end} />`, place)
	})

function Confirm({ title, text, action = 'Yes', must, danger, end }) {
	const [typed, type] = useState('')
	const ready = !must || typed.trim() === String(must)
	return html`<${Dialog} title=${title} onClose=${() => end(false)}>
		<form onSubmit=${(e) => { e.preventDefault(); if (ready) end(true) }}>
			<p>${text}</p>
			${must && html`<label class="form-label w-100">Type <b>${must}</b> to confirm
				<input class="form-control mt-1" value=${typed} onInput=${(e) => type(e.target.value)} autocomplete="off" /></label>`}
			<div class="d-flex gap-2 justify-content-end mt-3">
				<button type="button" class="btn btn-outline-secondary" onClick=${() => end(false)}>Cancel</button>
				<button class=${`btn btn-${danger ? 'danger' : 'primary'}`} disabled=${!ready}>${action}</button>
			</div>
		</form>
	<//>`
}

export function SignInForm({ onDone, email = '', fixed }) {
	const [error, setError] = useState(null)
	const [busy, setBusy] = useState(false)
	const submit = async (e) => {
		e.preventDefault()
		const form = new FormData(e.target)
		setBusy(true)
		setError(null)
		try {
			await signIn(fixed ? email : form.get('email'), form.get('password'))
			onDone?.()
		} catch (e) {
			setError(e)
		}
		setBusy(false)
	}
	return html`<form onSubmit=${submit} class="sign-in">
		<label class="form-label w-100">Email
			<input class="form-control" type="email" name="email" autocomplete="username" required defaultValue=${email} readonly=${fixed} /></label>
		<label class="form-label w-100">Password
			<input class="form-control" type="password" name="password" autocomplete="current-password" required /></label>
		${error && html`<${Problem} error=${error} />`}
		<button class="btn btn-primary w-100" disabled=${busy}>${busy ? 'Signing in…' : 'Sign in'}</button>
	</form>`
}

// Over the page, which stays as it is beneath.
function SignInAgain() {
	const [ask, setAsk] = useState(null)
	useEffect(() => {
		let waiting = null
		// Several requests may find the session ended at once: one dialog for all.
		setSignInDialog((why) => {
			waiting = waiting || new Promise((resolve) => setAsk({ why, end: (ok) => { waiting = null; setAsk(null); resolve(ok) } }))
			return waiting
		})
	}, [])
	return ask && html`<${Dialog} title="Sign in" onClose=${() => ask.end(false)}>
		<p>${ask.why}</p>
		<${SignInForm} email=${currentUser()?.email} onDone=${() => ask.end(true)} />
	<//>`
}

// What a page shows to those who may not see it without signing in.
export const SignInPage = ({ why = 'Sign in to see your data.' }) => html`<div class="card mx-auto my-5 sign-in-card">
	<div class="card-body">
		<h1 class="h4">Sign in</h1>
		<p class="text-body-secondary">${why}</p>
		<${SignInForm} />
	</div>
</div>`

function setTheme(name) {
	try {
		localStorage.setItem('rowgate.theme', name)
	} catch {
		// Then for this page alone.
	}
	dispatchEvent(new Event('rowgate:theme'))
	document.documentElement.dataset.bsTheme = name
}

function ThemeButton() {
	const [dark, setDark] = useState(document.documentElement.dataset.bsTheme === 'dark')
	const turn = () => {
		setTheme(dark ? 'light' : 'dark')
		setDark(!dark)
	}
	return html`<button type="button" class="btn btn-sm btn-bar" onClick=${turn} aria-pressed=${dark} title="Dark colours">
		<span aria-hidden="true">${dark ? '☾' : '☀'}</span><span class="visually-hidden">Dark colours</span>
	</button>`
}

const places = [['/', 'Home'], ['/admin/', 'Data'], ['/docs/', 'API']]

function Bar({ active }) {
	const user = useSession()
	const [open, setOpen] = useState(false)
	return html`<header class="bar">
		<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById('main').focus() }}>Skip to the content</a>
		<nav class="container-fluid d-flex align-items-center gap-1 gap-sm-2" aria-label="Pages">
			<a class="brand me-2" href="/">Rowgate</a>
			${places.map(([at, name]) => html`<a class="place" href=${at} aria-current=${at === active ? 'page' : null}>${name}</a>`)}
			<span class="flex-grow-1"></span>
			<${ThemeButton} />
			${user
				? html`<span class="d-none d-md-inline small text-truncate who" title=${`role ${user.role}`}>${user.email}</span>
					<button type="button" class="btn btn-sm btn-bar" onClick=${() => signOut().catch((e) => toast(e.message, 'danger'))}>Sign out</button>`
				: html`<button type="button" class="btn btn-sm btn-bar" onClick=${() => setOpen(true)}>Sign in</button>`}
		</nav>
		${open && !user && html`<${Dialog} title="Sign in" onClose=${() => setOpen(false)}><${SignInForm} onDone=${() => setOpen(false)} /><//>`}
	</header>`
}

let showToast = () => {}
// A message in the corner. kind: success, info, warning or danger, which stays until closed.
export const toast = (text, kind = 'success') => showToast({ text, kind, id: Math.random() })

function Toasts() {
	const [list, set] = useState([])
	const close = (id) => set((l) => l.filter((t) => t.id !== id))
	useEffect(() => {
		showToast = (t) => {
			set((l) => [...l.slice(-4), t])
			if (t.kind !== 'danger') setTimeout(() => close(t.id), 6000)
		}
	}, [])
	return html`<div class="toasts" role="status" aria-live="polite">
		${list.map((t) => html`<div key=${t.id} class=${`alert alert-${t.kind} py-2 pe-2 mb-2 d-flex shadow`}>
			<span class="flex-grow-1 me-2">${t.text}</span>
			<button type="button" class="btn-close" aria-label="Close message" onClick=${() => close(t.id)}></button></div>`)}
	</div>`
}

export const Loading = ({ what = 'Loading' }) => html`<p class="text-body-secondary p-3" role="status"><span class="spinner" aria-hidden="true"></span> ${what}…</p>`

// What is missing, and what to do about it as children.
export const Empty = ({ title, children }) => html`<div class="empty"><p class="h6">${title}</p>${children}</div>`

export const Problem = ({ error, retry }) => html`<div class="alert alert-danger" role="alert">
	<p class="mb-1"><b>${error.message}</b>${error.code && html` <small class="font-monospace">(${error.code})</small>`}</p>
	${error.details && html`<p class="mb-1">${typeof error.details === 'string' ? error.details : JSON.stringify(error.details)}</p>`}
	${error.hint && html`<p class="mb-1">${error.hint}</p>`}
	${retry && html`<button type="button" class="btn btn-sm btn-outline-danger" onClick=${retry}>Try again</button>`}
</div>`

// { data, error, loading, again } of an async function, run anew when one of `on` differs. A late answer to an old question
// is dropped; the signal ends its request.
export function useLoad(load, on) {
	const [state, set] = useState({ loading: true })
	const [turn, setTurn] = useState(0)
	useEffect(() => {
		const stop = new AbortController()
		set((s) => ({ data: s.data, loading: true }))
		load(stop.signal).then(
			(data) => stop.signal.aborted || set({ data, loading: false }),
			(error) => stop.signal.aborted || set({ error, loading: false }),
		)
		return () => stop.abort()
	}, [...on, turn])
	return { ...state, again: () => setTurn((n) => n + 1) }
}

// Puts a page together; `active` is its place in the bar. Content is drawn once it is known who is signed in.
export async function mount(active, Content) {
	const place = document.getElementById('page')
	render(html`<${Bar} active=${active} /><main id="main" tabindex="-1"><${Loading} /></main>`, place)
	await start()
	const Page = () => html`<${Bar} active=${active} />
		<main id="main" tabindex="-1"><${Content} user=${useSession()} /></main>
		<${Toasts} /><${SignInAgain} />`
	render(html`<${Page} />`, place)
}
