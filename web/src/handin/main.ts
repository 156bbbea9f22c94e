import { mount } from 'svelte'
import '../app.css'
import './handin.css'
import { arrived, renewed } from './address'
import { HandIn } from './handIn.svelte'
import Page from './Page.svelte'
import { followTheme } from './theme'

followTheme()
mount(Page, { target: document.getElementById('app')!, props: { handIn: new HandIn(arrived()) } })
renewed()
