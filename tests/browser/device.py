"""What lies on a device, seen from outside the page's own code."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

_ROWS = """([database, store]) => new Promise((resolve, reject) => {
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


def kept(page: Page, *prefixes: str, sealed: bool = False) -> None:
    """Waits until rows of all these kinds are on the disk: that is what the person relies on."""
    page.wait_for_function(
        f"""async ([prefixes, sealed]) => {{
            const rows = await ({_ROWS})(['renraku-device', 'kept'])
            return prefixes.every((one) => rows.some((row) => row.place.startsWith(one) && (row.sealed !== null) === sealed))
        }}""",
        arg=[list(prefixes), sealed],
        timeout=20_000,
    )


def stored(page: Page, count: int) -> None:
    """Waits until so many messages wait on the disk."""
    page.wait_for_function(
        f"""async (count) => (await ({_ROWS})(['renraku', 'sends'])).length === count""", arg=count, timeout=20_000
    )


def page_is_kept(page: Page) -> None:
    """Waits until the page would open without the server."""
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)", timeout=20_000)
    page.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=20_000)
