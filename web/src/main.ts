import { mount } from 'svelte'
import './app.css'
import './state/installing.svelte'
import { version } from './state/version.svelte'
import App from './ui/App.svelte'
import { followViewport } from './ui/viewport'

followViewport()
mount(App, { target: document.getElementById('app')! })
// After the first page: its files are fetched once more for the device, and that may wait.
addEventListener('load', () => setTimeout(() => void version.register(), 1_000))
