// The API's documentation at /docs/.
import { html } from '../shared/html.js'
import { mount } from '../shared/layout.js'

function Docs() {
	return html`<div class="container py-4">
		<h1>API</h1>
		<p>The API describes itself: <a href="/rest/v1/">/rest/v1/</a> is an OpenAPI document of what you may see.</p>
	</div>`
}

mount('/docs/', Docs)
