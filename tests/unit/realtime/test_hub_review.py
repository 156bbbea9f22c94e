"""A connection that ends while a read for it is under way must not come back into the hub."""

from __future__ import annotations

from chat_server.realtime.hub import Hub
from tests.unit.realtime.test_hub import Peer, event


def test_a_dropped_connection_is_not_subscribed_again() -> None:
    hub = Hub()
    peer = Peer(hub, 1)
    hub.drop(peer.connection)
    peer.join()
    hub.publish([event(1)])
    assert (peer.heard, hub.channels, hub.by_room, peer.connection.rooms) == ([], {}, {}, set())
