"""`renraku push-relay`: the only part that speaks to providers, on the Internet side, and the closed side's line to it.

    closed side                                        Internet side
    engine -> client.RelayProvider == line ==========> serving -> queue -> providers
                     (dials)         TLS 1.3, both         |
                                     ends pinned           +- answers are kept until they were confirmed

The relay reads nothing: what a device shows is sealed for the device (RFC 8291), and all else is an opaque id, a number on
the app's icon and a fixed text. Decided in docs/decisions/0036-push-providers-and-relay.md.
"""
