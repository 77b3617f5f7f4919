// preact with tagged templates in place of JSX. Text in a template is always escaped; no page uses innerHTML.
import { h, render, Fragment } from 'preact'
import htm from 'htm'

export const html = htm.bind(h)
export { h, render, Fragment }
export { useState, useEffect, useRef, useMemo, useCallback } from 'preact/hooks'
