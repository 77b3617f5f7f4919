// Swagger UI, set up to ask nobody else for anything and to keep no token.
import SwaggerUI from 'swagger-ui-dist/swagger-ui-bundle.js'
import { token } from '../shared/session.js'

// What is typed into its own Authorize dialog goes before the session.
async function withSession(request) {
	const url = new URL(request.url, location.href)
	const bearer = url.origin === location.origin && !request.headers.Authorization && (await token())
	if (bearer) request.headers.Authorization = `Bearer ${bearer}`
	return request
}

// What it leaves without a name or out of the keyboard's reach; and its own word for dark colours.
function mend(root) {
	for (const select of root.querySelectorAll('select:not([aria-label])')) {
		const row = select.closest('tr[data-param-name]')
		select.setAttribute('aria-label', row ? row.dataset.paramName : 'Content type')
	}
	for (const field of root.querySelectorAll('textarea:not([aria-label]), input:not([aria-label]):not([placeholder])'))
		field.setAttribute('aria-label', field.closest('tr[data-param-name]')?.dataset.paramName || 'Body')
	for (const text of root.querySelectorAll('pre:not([tabindex])')) text.tabIndex = 0
	const whole = window.document.documentElement
	whole.classList.toggle('dark-mode', whole.dataset.bsTheme === 'dark')
}

// Shows the document in place; gives the function that takes it away.
export function show(place, document) {
	const root = window.document.createElement('div')
	place.replaceChildren(root)
	SwaggerUI({
		domNode: root,
		// Requests stay here, whatever address others use.
		spec: { ...document, servers: [{ url: `${location.origin}/rest/v1` }] },
		layout: 'BaseLayout',
		docExpansion: 'none',
		defaultModelsExpandDepth: 0,
		displayRequestDuration: true,
		filter: true,
		validatorUrl: null,
		queryConfigEnabled: false,
		persistAuthorization: false,
		// The command line it shows is without the session's token.
		showMutatedRequest: false,
		// Colours without enough contrast, as styles of their own.
		syntaxHighlight: { activated: false },
		withCredentials: false,
		requestInterceptor: withSession,
	})
	const watch = new MutationObserver(() => mend(root))
	watch.observe(root, { childList: true, subtree: true })
	watch.observe(window.document.documentElement, { attributeFilter: ['data-bs-theme'] })
	mend(root)
	return () => { watch.disconnect(); place.replaceChildren() }
}
