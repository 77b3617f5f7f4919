// The API's documentation at /docs/: Swagger UI over the OpenAPI document of whoever is signed in, whose session its
// requests use. Swagger UI is large and comes when the rest of the page stands.
import 'swagger-ui-dist/swagger-ui.css'
import './docs.css'
import { openapi } from '../shared/api.js'
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { Loading, mount, Problem, SignInPage, useLoad } from '../shared/layout.js'

function Reference({ spec }) {
	const place = useRef()
	useEffect(() => {
		let gone = false
		let end = () => {}
		import('./swagger.js').then(({ show }) => gone || (end = show(place.current, spec)))
		return () => { gone = true; end() }
	}, [spec])
	return html`<div ref=${place} class="reference"><${Loading} /></div>`
}

function Databases({ names, chosen, choose }) {
	return html`<label class="d-flex align-items-center gap-2">Database
		<select class="form-select form-select-sm w-auto" value=${chosen} onChange=${(e) => choose(e.target.value)}>
			${names.map((name) => html`<option value=${name}>${name}</option>`)}
		</select></label>`
}

function Docs({ user }) {
	const [database, choose] = useState(null)
	const { data: spec, error, loading, again } = useLoad(() => openapi(database), [database, user?.id, user?.role])
	if (error?.status === 401) return html`<${SignInPage} why="Sign in to see what the API offers you." />`
	return html`<div class="container-fluid py-3 docs">
		<div class="d-flex flex-wrap align-items-center gap-3 mb-2">
			<h1 class="h3 m-0 flex-grow-1">${spec?.info?.title || 'API'}</h1>
			${spec?.['x-databases']?.length > 1 && html`<${Databases} names=${spec['x-databases']} chosen=${database || spec['x-database']} choose=${choose} />`}
			<a href="/rest/v1/">OpenAPI</a>
			<a href="/auth/v1/">OpenAPI of sign-in and administration</a>
		</div>
		${error && html`<${Problem} error=${error} retry=${again} />`}
		${spec && html`<p class="text-body-secondary">${user
			? html`What the role <b>${spec['x-role']}</b> of ${user.email} may do. “Try it out” sends requests as you: what they change is changed.`
			: html`What visitors may do. Sign in to see and to try more.`}</p>`}
		${loading && !spec && html`<${Loading} what="Loading the description" />`}
		${spec && html`<${Reference} key=${`${spec['x-role']} ${spec['x-database']}`} spec=${spec} />`}
	</div>`
}

mount('/docs/', Docs)
