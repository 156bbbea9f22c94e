"""What lies on a device, seen from outside the page's own code."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Page

from tests.support.patience import DEADLINE

# A database that the page has not made yet must not be made here, without its stores.
_ROWS: Final = """async ([database, store]) => !(await indexedDB.databases()).some(({ name }) => name === database) ? []
: new Promise((resolve, reject) => {
    const opening = indexedDB.open(database)
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
        const names = [...opening.result.objectStoreNames]
        if (!names.includes(store)) { opening.result.close(); resolve([]); return }
        const request = opening.result.transaction(store).objectStore(store).getAll()
        request.onsuccess = () => {
            opening.result.close()
            resolve(request.result.map((row) => ({
                place: row.place ?? row.key ?? row.client_msg_id,
                plain: row.plain ? new TextDecoder().decode(row.plain) : null,
                sealed: row.sealed ? new TextDecoder().decode(row.sealed.bytes) : null,
            })))
        }
    }
})"""


def rows(page: Page, store: str, database: str = "renraku-device") -> list[dict[str, Any]]:
    return list(page.evaluate(_ROWS, [database, store]))


def until(page: Page, condition: str, arg: Any = None) -> None:
    """Waits until an async function answers true; `wait_for_function` takes a promise itself for true."""
    page.evaluate(
        f"""async ([arg, end]) => {{
            while (!(await ({condition})(arg))) {{
                if (performance.now() > end) throw new Error('it did not become true')
                await new Promise((resolve) => setTimeout(resolve, 100))
            }}
        }}""",
        [arg, page.evaluate("performance.now()") + 1000 * DEADLINE],
    )


def copied(page: Page, pattern: str) -> str:
    """What lies in the clipboard, once it is like that: it is written a moment after the press."""
    until(page, "async (pattern) => new RegExp(pattern).test(await navigator.clipboard.readText())", pattern)
    return str(page.evaluate("navigator.clipboard.readText()"))


def kept(page: Page, *prefixes: str, sealed: bool = False) -> None:
    """Waits until rows of all these kinds are on the disk: that is what the person relies on."""
    condition = f"""async ([prefixes, sealed]) => {{
        const rows = await ({_ROWS})(['renraku-device', 'kept'])
        return prefixes.every((one) => rows.some((row) => row.place.startsWith(one) && (row.sealed !== null) === sealed))
    }}"""
    until(page, condition, [list(prefixes), sealed])


def holds(page: Page, store: str, count: int, database: str = "renraku-device") -> None:
    """Waits until so many rows are in a store on the disk."""
    condition = f"async (count) => (await ({_ROWS})(['{database}', '{store}'])).length === count"
    until(page, condition, count)


def stored(page: Page, count: int) -> None:
    """Waits until so many messages wait on the disk."""
    holds(page, "sends", count, "renraku")


def page_is_kept(page: Page) -> None:
    """Waits until the page would open without the server."""
    until(page, "async () => (await navigator.serviceWorker.ready) && navigator.serviceWorker.controller !== null")
